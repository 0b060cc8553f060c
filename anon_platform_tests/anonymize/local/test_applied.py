"""A solution applied to rows: of the data itself all are kept, new ones go to the cheapest class that covers them."""

import json
import sys
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.anonymize.hierarchy import SUPPRESSED
from anon_platform.anonymize.local import Applied, Recoded, applied
from anon_platform.errors import PolicyError, SourceError
from anon_platform_tests.anonymize.local.draws import HOW, KINDS, TYPES, demands, tables
from anon_platform_tests.anonymize.local.recount import Value, Wanted
from anon_platform_tests.anonymize.local.test_recode import recoded


def written(found: Recoded, names: list[str]) -> Applied:
    """Through JSON and back, as a solution file is."""
    return applied(json.loads(json.dumps(found.solution())), {name: KINDS[name] for name in names})


@settings(deadline=None, max_examples=150)
@given(st.data(), tables(), HOW)
def test_rows_of_the_data_are_kept_and_new_ones_where_a_class_covers_them(
    data: st.DataObject, rows: pl.DataFrame, how: dict[str, Any]
) -> None:
    """Each row gets the labels of the class that loses least of all that cover it, or `*` where none does."""
    names = [name for name in rows.columns if name in KINDS]
    wanted = data.draw(demands(names, rows.height))
    try:
        found = recoded(rows, wanted, **how)
    except PolicyError:
        return
    solution = found.solution()
    use = written(found, names)
    released, own = use.release(rows), found.release(rows)
    assert (released["kept"] | ~own["kept"]).all()
    fresh = pl.DataFrame(
        {
            "age": [None, 0, 3, 99],
            "town": ["e", None, "nowhere", "a"],
            "zip": ["123", "999", "125", "2"],
            "sex": ["f", "x", None, "m"],
            "dose": [1, 7, 100, 3],
        },
        schema={name: TYPES[name] for name in KINDS},
    ).select(names)
    every = pl.concat([rows.select(names), fresh])
    for values, out in zip(every.rows(), use.release(every).to_dicts(), strict=True):
        best = by_hand(solution, names, values)
        assert out["kept"] == (best is not None)
        assert [out[name] for name in names] == (best or [SUPPRESSED] * len(names))


def by_hand(solution: Any, names: list[str], values: tuple[Value, ...]) -> list[str | None] | None:
    """The labels of the first of the cheapest classes that cover a row."""
    best, least = None, np.inf
    for at, lost in enumerate(solution["loss"]):
        parts = [(column["kind"], column["labels"][column["of_class"][at]]) for column in solution["columns"]]
        covered = all(
            covers(name, kind, part, value)
            for name, (kind, part), value in zip(names, parts, values, strict=True)
        )
        if covered and lost < least:
            best, least = [text_of(kind, part) for kind, part in parts], lost
    return best


def covers(name: str, kind: str, part: Any, value: Value) -> bool:
    """Whether a label covers a value, straight from the hierarchy or the numbers."""
    if kind == "hierarchy":
        level, label = part
        if level == SUPPRESSED:
            return True
        if name == "town" and value is not None and value not in set("abcdef"):
            return False
        at = KINDS[name].level_names.index(level)
        return bool(KINDS[name].labels(pl.Series([value], dtype=TYPES[name]))[at][0] == label)
    if part is None:
        return True
    if kind == "interval":
        low, high = part
        return (
            value is None if low is None else value is not None and float(low) <= float(value) <= float(high)
        )
    return (None if value is None else str(value)) in part


def text_of(kind: str, part: Any) -> str | None:
    """A label as it stands in a release; the values of these tests need no quotes."""
    if kind == "hierarchy":
        return None if part[1] is None else str(part[1])
    if part is None:
        return SUPPRESSED
    if kind == "interval":
        return part[0] if part[0] == part[1] else f"[{part[0]}, {part[1]}]"
    if len(part) == 1:
        return None if part[0] is None else str(part[0])
    return "{" + ", ".join("null" if member is None else member for member in part) + "}"


def test_a_solution_counts_nobody_and_a_new_row_costs_no_more_memory_than_a_block(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is names, labels, places and losses; in small blocks the same rows come out."""
    rows = pl.DataFrame(
        {"age": [0, 1, 4, 5], "sex": ["f", "m", "f", "m"], "who": range(4), "dx": list("abab")}
    )
    found = recoded(rows, Wanted(k=2))
    solution = found.solution()
    assert set(solution) == {"columns", "loss"}
    assert {key for column in solution["columns"] for key in column} == {"name", "kind", "labels", "of_class"}
    usual = written(found, ["age", "sex"]).release(rows)
    monkeypatch.setattr(sys.modules[applied.__module__], "BLOCK", 1)
    assert written(found, ["age", "sex"]).release(rows).equals(usual)


def test_a_row_that_was_not_counted_is_refused_and_its_values_stay_unsaid() -> None:
    """The source changed between counting and reading: what its class would be nobody knows."""
    rows = pl.DataFrame({"age": [0, 1], "sex": ["f", "m"], "who": [0, 1], "dx": ["a", "b"]})
    found = recoded(rows, Wanted(k=2))
    message = (
        r"^1 rows have quasi-identifiers that were not there when the table was counted; run again on a source that"
        r" does not change meanwhile$"
    )
    with pytest.raises(SourceError, match=message):
        found.release(rows.vstack(pl.DataFrame({"age": [7], "sex": ["f"], "who": [5], "dx": ["a"]})))


def test_texts_that_could_be_mistaken_are_quoted_in_a_set() -> None:
    """A comma, a brace or the word null inside a value."""
    from anon_platform.anonymize.local.labels import set_label

    assert set_label(["a", "b, c", None, "null", "", " d", "{e}", 'f"']) == (
        '{a, "b, c", null, "null", "", " d", "{e}", "f\\""}'
    )
