"""A released model as ONNX, for whoever runs models without us.

One input a feature, with a value a row: categories are text (numbers as "1", truth values as "true"), numbers are doubles, dates
are days since 1970 as doubles. A missing value is "" or NaN. The output is the probability of the target, as a single float.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from anon_platform.dp.models.form import EPOCH

if TYPE_CHECKING:
    import onnx

OPSET, OPSET_ML, IR = 17, 2, 8
"""Of 2022, which every runtime in use knows."""


def onnx_of(model: Mapping[str, Any]) -> bytes:
    """The file; the same bytes for the same model."""
    from onnx import TensorProto, helper

    graph = _Graph()
    scores = [
        graph.category(at, feature) if feature["kind"] == "categories" else graph.number(at, feature)
        for at, feature in enumerate(model["features"])
    ]
    graph.constant("intercept", TensorProto.FLOAT, (1, 1), [model["intercept"]])
    graph.node("Sum", [*scores, "intercept"], "score")
    graph.node("Sigmoid", ["score"], "probability")
    told = helper.make_graph(
        graph.nodes,
        "additive_model",
        graph.inputs,
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["rows", 1])],
        graph.constants,
    )
    sets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", OPSET_ML)]
    made = helper.make_model(told, producer_name="anon_platform", opset_imports=sets, ir_version=IR)
    content: bytes = made.SerializeToString(deterministic=True)
    return content


class _Graph:
    """What is put together: nodes, constants, inputs."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []

    def node(self, kind: str, inputs: list[str], output: str, domain: str = "", **attributes: Any) -> str:  # noqa: ANN401
        """Its output, which it is called by."""
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, domain=domain, **attributes))
        return output

    def constant(self, name: str, kind: int, shape: tuple[int, ...], values: Sequence[float]) -> str:
        """Its name."""
        from onnx import helper

        self.constants.append(helper.make_tensor(name, kind, shape, values))
        return name

    def input(self, name: str, kind: int) -> None:
        """A column: any number of rows, one value each."""
        from onnx import helper

        self.inputs.append(helper.make_tensor_value_info(name, kind, ["rows", 1]))

    def category(self, at: int, feature: Mapping[str, Any]) -> str:
        """The score of a category: a look-up."""
        from onnx import TensorProto

        self.input(feature["column"], TensorProto.STRING)
        scores = feature["scores"]
        absent = scores[0] if feature["missing"] is None else feature["missing"]
        known = {_text(category): score for category, score in zip(feature["values"], scores, strict=False)}
        unknown = absent if feature["other"] is None else scores[-1]
        if feature["other"] is not None:
            known.setdefault(feature["other"], scores[-1])
        known.setdefault("", absent)
        return self.node(
            "LabelEncoder",
            [feature["column"]],
            f"score {at}",
            "ai.onnx.ml",
            keys_strings=list(known),
            values_floats=list(known.values()),
            default_float=unknown,
        )

    def number(self, at: int, feature: Mapping[str, Any]) -> str:
        """The score of a number or day: the first bin's, and the difference to the next for each bin that it has reached."""
        from onnx import TensorProto

        name, scores = feature["column"], feature["scores"]
        self.input(name, TensorProto.DOUBLE)
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
        score = self.constant(f"first {at}", TensorProto.FLOAT, (1, 1), [scores[0]])
        if len(starts) > 1:
            ends = self.constant(f"starts {at}", TensorProto.DOUBLE, (1, len(starts) - 1), starts[1:])
            self.node("GreaterOrEqual", [f"steps {at}", ends], f"reached {at}")
            self.node("Cast", [f"reached {at}"], f"ones {at}", to=TensorProto.FLOAT)
            more = [right - left for left, right in pairwise(scores)]
            self.constant(f"more {at}", TensorProto.FLOAT, (len(more), 1), more)
            self.node("MatMul", [f"ones {at}", f"more {at}"], f"added {at}")
            score = self.node("Add", [f"added {at}", score], f"present {at}")
        self.constant(f"absent {at}", TensorProto.FLOAT, (1, 1), [absent])
        return self.node("Where", [missing, f"absent {at}", score], f"score {at}")

    def _double(self, name: str, value: float) -> str:
        from onnx import TensorProto

        return self.constant(name, TensorProto.DOUBLE, (1, 1), [value])


def _text(category: object) -> str:
    return str(category).lower() if isinstance(category, bool) else str(category)


def _day(day: str) -> float:
    return float((date.fromisoformat(day) - EPOCH).days)
