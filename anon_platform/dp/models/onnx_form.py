"""A released model as ONNX, for whoever runs models without us.

One input a feature, with a value a row: categories are text (numbers as "1", truth values as "true"), numbers are doubles, dates
are days since 1970 as doubles. A missing value is "" or NaN. The output is the probability of the target, as a single float.
"""

from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from typing import Any

from anon_platform.dp.models import wire
from anon_platform.dp.models.form import EPOCH

OPSET, OPSET_ML, IR = 17, 2, 8
"""Of 2022, which every runtime in use knows."""


def onnx_of(model: Mapping[str, Any]) -> bytes:
    """The file; the same bytes for the same model."""
    graph = _Graph()
    scores = [
        graph.category(at, feature) if feature["kind"] == "categories" else graph.number(at, feature)
        for at, feature in enumerate(model["features"])
    ]
    graph.constant("intercept", wire.FLOAT, (1, 1), [model["intercept"]])
    graph.node("Sum", [*scores, "intercept"], "score")
    graph.node("Sigmoid", ["score"], "probability")
    told = (
        b"".join(wire.text(1, each) for each in graph.nodes)
        + wire.text(2, "additive_model")
        + b"".join(wire.text(5, each) for each in graph.constants)
        + b"".join(wire.text(11, each) for each in graph.inputs)
        + wire.text(12, wire.value("probability", wire.FLOAT))
    )
    sets = wire.text(8, wire.text(1, "") + wire.number(2, OPSET))
    sets += wire.text(8, wire.text(1, "ai.onnx.ml") + wire.number(2, OPSET_ML))
    return wire.number(1, IR) + wire.text(2, "anon_platform") + wire.text(7, told) + sets


class _Graph:
    """What is put together: nodes, constants, inputs."""

    def __init__(self) -> None:
        self.nodes: list[bytes] = []
        self.constants: list[bytes] = []
        self.inputs: list[bytes] = []

    def node(
        self, kind: str, inputs: list[str], output: str, attributes: bytes = b"", domain: str = ""
    ) -> str:
        self.nodes.append(wire.node(kind, inputs, output, attributes, domain))
        return output

    def constant(self, name: str, kind: int, shape: tuple[int, ...], values: list[float]) -> str:
        self.constants.append(wire.tensor(name, kind, shape, values))
        return name

    def category(self, at: int, feature: Mapping[str, Any]) -> str:
        """The score of a category: a look-up."""
        self.inputs.append(wire.value(feature["column"], wire.STRING))
        scores = feature["scores"]
        absent = scores[0] if feature["missing"] is None else feature["missing"]
        known = {_text(category): score for category, score in zip(feature["values"], scores, strict=False)}
        unknown = absent if feature["other"] is None else scores[-1]
        if feature["other"] is not None:
            known.setdefault(feature["other"], scores[-1])
        known.setdefault("", absent)
        attributes = (
            wire.texts_attribute("keys_strings", list(known))
            + wire.floats_attribute("values_floats", list(known.values()))
            + wire.float_attribute("default_float", unknown)
        )
        return self.node("LabelEncoder", [feature["column"]], f"score {at}", attributes, "ai.onnx.ml")

    def number(self, at: int, feature: Mapping[str, Any]) -> str:
        """The score of a number or day: the first bin's, and the difference to the next for each bin that it has reached."""
        name, scores = feature["column"], feature["scores"]
        self.inputs.append(wire.value(name, wire.DOUBLE))
        step = feature.get("step", 1)
        dates = feature["kind"] == "dates"
        starts = [_day(each) if dates else float(round(each / step)) for each in feature["from"]]
        last = _day(feature["to"]) if dates else float(round(feature["to"] / step))
        absent = scores[0] if feature["missing"] is None else feature["missing"]
        low, high = self._double(f"low {at}", starts[0] * step), self._double(f"high {at}", last * step)
        self.node("IsNaN", [name], f"nan {at}")
        self.node("IsInf", [name], f"infinite {at}")
        missing = self.node("Or", [f"nan {at}", f"infinite {at}"], f"missing {at}")
        self.node("Where", [missing, low, name], f"known {at}")
        self.node("Max", [f"known {at}", low], f"raised {at}")
        self.node("Min", [f"raised {at}", high], f"within {at}")
        self.node("Div", [f"within {at}", self._double(f"step {at}", step)], f"exact steps {at}")
        self.node("Floor" if dates else "Round", [f"exact steps {at}"], f"steps {at}")
        score = self.constant(f"first {at}", wire.FLOAT, (1, 1), [scores[0]])
        if len(starts) > 1:
            ends = self.constant(f"starts {at}", wire.DOUBLE, (1, len(starts) - 1), starts[1:])
            self.node("GreaterOrEqual", [f"steps {at}", ends], f"reached {at}")
            self.node("Cast", [f"reached {at}"], f"ones {at}", wire.whole_attribute("to", wire.FLOAT))
            more = [right - left for left, right in pairwise(scores)]
            self.constant(f"more {at}", wire.FLOAT, (len(more), 1), more)
            self.node("MatMul", [f"ones {at}", f"more {at}"], f"added {at}")
            score = self.node("Add", [f"added {at}", score], f"present {at}")
        self.constant(f"absent {at}", wire.FLOAT, (1, 1), [absent])
        return self.node("Where", [missing, f"absent {at}", score], f"score {at}")

    def _double(self, name: str, value: float) -> str:
        return self.constant(name, wire.DOUBLE, (1, 1), [value])


def _text(category: object) -> str:
    return str(category).lower() if isinstance(category, bool) else str(category)


def _day(day: str) -> float:
    return float((date.fromisoformat(day) - EPOCH).days)
