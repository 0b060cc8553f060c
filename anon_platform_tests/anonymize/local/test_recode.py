"""Local recoding whatever is asked: the released rows, counted again by hand, meet it, and are as the result says."""

from typing import Any

import polars as pl
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from anon_platform.anonymize.local import Recoded, recode
from anon_platform.errors import PolicyError
from anon_platform_tests.anonymize.local.draws import HOW, KINDS, demands, tables
from anon_platform_tests.anonymize.local.recount import MODELS, Wanted, recount, state_of


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
