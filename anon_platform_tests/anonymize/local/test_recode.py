"""Local recoding whatever is asked: the released rows, counted again by hand, meet it, and are as the result says."""

from typing import Any

import polars as pl
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from anon_platform.anonymize.local import Recoded, applied, recode
from anon_platform.errors import PolicyError
from anon_platform_tests.anonymize.local.draws import HOW, KINDS, demands, tables
from anon_platform_tests.anonymize.local.recount import MODELS, Paths, Wanted, recount


def recoded(rows: pl.DataFrame, wanted: Wanted, *, person: str | None = "who", **how: Any) -> Recoded:
    """The recoding of rows, one a record."""
    names = [name for name in rows.columns if name in KINDS]
    over = [*names, *(["who"] if person else []), *(["dx"] if wanted.models else [])]
    return recode(
        rows.group_by(over).agg(n=pl.len()).sort(over),
        {name: KINDS[name] for name in names},
        person=person,
        sensitive={"dx": [MODELS[i][0] for i in wanted.models]} if wanted.models else {},
        k=wanted.k,
        suppressed_share=wanted.share,
        attackers=wanted.attackers,
        mean_risk=wanted.mean_risk,
        unique_records=wanted.unique_records,
        weights=wanted.weights or None,
        caps=wanted.caps or None,
        **how,
    )


@settings(deadline=None, max_examples=400)
@given(st.data(), tables(), HOW)
def test_what_leaves_meets_every_demand(data: st.DataObject, rows: pl.DataFrame, how: dict[str, Any]) -> None:
    """A class that is one person short, or a label that does not cover its value, would be released as safe."""
    names = [name for name in rows.columns if name in KINDS]
    wanted = data.draw(demands(names, rows.height))
    alone = data.draw(st.booleans())
    if alone:
        rows = rows.with_columns(who=pl.int_range(rows.height, dtype=pl.Int64))
    try:
        found = recoded(rows, wanted, person=None if alone else "who", **how)
    except PolicyError as fault:
        event(str(fault)[:20])
        return
    event("found")
    recount(rows, {name: KINDS[name] for name in names}, found, wanted)


def test_labels_that_read_the_same_at_two_levels_are_one_class_to_a_reader() -> None:
    """A town called as its county is: k holds for the text, while each record loses what its own label covers."""
    names = {"Cook": "Cook", "Elgin": "Cook", "Joliet": "Cook", "Dane": "Dane"}
    kind = Paths({town: (town, county) for town, county in names.items()})
    rows = pl.DataFrame({"town": ["Cook", "Cook", "Elgin", "Joliet", "Dane", "Dane"]})
    counts = rows.group_by("town").agg(n=pl.len()).sort("town")
    found = recode(counts, {"town": kind}, person=None, sensitive={}, k=2, suppressed_share=0.0)
    released = found.release(rows)["town"].to_list()
    assert released == ["Cook", "Cook", "Cook", "Cook", "Dane", "Dane"]
    assert found.loss == pytest.approx(2 * (2 / 3) / 6)
    again = applied(found.solution(), {"town": kind}).release(rows)
    assert again["town"].to_list() == released


def test_twelve_columns_and_rows_that_are_all_alike_or_all_different() -> None:
    """One class of all; and a lattice of more nodes than are looked at, where every row is met at `*` only by chance."""
    kinds = {f"q{i}": KINDS["age"] for i in range(12)}
    for rows, k in (([[1] * 12] * 9, 9), ([[(i * (j + 1)) % 7 for j in range(12)] for i in range(30)], 4)):
        frame = pl.DataFrame(rows, schema=dict.fromkeys(kinds, pl.Int64), orient="row")
        counts = frame.group_by(frame.columns).agg(n=pl.len()).sort(frame.columns)
        found = recode(counts, kinds, person=None, sensitive={}, k=k, suppressed_share=0.0, effort="fast")
        people = frame.with_columns(who=pl.int_range(frame.height), dx=pl.lit("a"))
        recount(people, kinds, found, Wanted(k=k))


def test_without_quasi_identifiers_all_are_one_class() -> None:
    """Nothing to generalize, nothing lost."""
    counts = pl.DataFrame({"n": [5]}, schema={"n": pl.UInt32})
    found = recode(counts, {}, person=None, sensitive={}, k=2, suppressed_share=0.0)
    assert (found.loss, found.suppressed) == (0.0, 0)


@pytest.mark.parametrize("name", ["class", "label 0", "value", "known", "n_"])
def test_a_column_may_have_any_name_but_that_of_what_is_kept(name: str) -> None:
    """Names that the code uses itself would overwrite labels silently."""
    rows = pl.DataFrame({name: ["f", "f", "m", None], "other": ["f", "m", "m", "m"]})
    kinds = dict.fromkeys(rows.columns, KINDS["sex"])
    counts = rows.group_by(rows.columns).agg(n=pl.len()).sort(rows.columns)
    found = recode(counts, kinds, person=None, sensitive={}, k=2, suppressed_share=0.0)
    people = rows.with_columns(who=pl.int_range(rows.height), dx=pl.lit("a"))
    recount(people, kinds, found, Wanted(k=2))
    assert applied(found.solution(), kinds).release(rows)["kept"].all()
    message = "^column kept: the name is needed for what is kept; rename the column$"
    with pytest.raises(PolicyError, match=message):
        recode(
            counts.rename({name: "kept"}),
            {"kept": KINDS["sex"]},
            person=None,
            sensitive={},
            k=2,
            suppressed_share=0.0,
        )
