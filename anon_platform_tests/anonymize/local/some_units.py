"""Units of small drawn tables, as `recode` makes them, and groupings of them."""

import numpy as np
import polars as pl
from hypothesis import strategies as st

from anon_platform.anonymize.k_anonymity.price import caps_of, prices, weights_of
from anon_platform.anonymize.k_anonymity.problem import Asked, posed
from anon_platform.anonymize.local.grouping import Grouping
from anon_platform.anonymize.local.labels import Output, column
from anon_platform.anonymize.local.shapes import Ints
from anon_platform.anonymize.local.units import Units
from anon_platform.errors import PolicyError
from anon_platform_tests.anonymize.local.draws import KINDS, tables
from anon_platform_tests.anonymize.local.recount import MODELS


@st.composite
def units(draw: st.DrawFn, *, most: int = 40) -> Units:
    """Combinations that occur, with a demand of each of them and of groups; never of what cannot be met at all."""
    rows = draw(tables(most=most))
    names = [name for name in rows.columns if name in KINDS]
    models = draw(st.sampled_from([(), (), (0,), (3,), (1,), (0, 6)]))
    person = draw(st.sampled_from([None, "who"]))
    k = draw(st.integers(1, min(4, rows.height)))
    over = [*names, "who", "dx"]
    counts = rows.group_by(over).agg(n=pl.len()).sort(over)
    output: Output = draw(st.sampled_from(["hierarchy", "intervals"]))
    try:
        asked = Asked(
            person, {"dx": [MODELS[i][0] for i in models]}, k, draw(st.sampled_from([0.0, 0.2, 0.5]))
        )
        problem = posed(counts, {name: KINDS[name] for name in names}, asked)
    except PolicyError:
        return draw(units(most=most))
    capped = draw(st.sampled_from([{}, {}, {names[0]: KINDS[names[0]].level_names[-1]}]))
    priced = prices(problem.steps, weights_of(names, {}), caps_of(problem.ladders, capped))
    columns = [
        column(name, KINDS[name], built, price, output)
        for name, built, price in zip(names, problem.steps, priced, strict=True)
    ]
    return Units(
        problem.bottom, tuple(c.tree for c in columns), tuple(c.shape for c in columns), problem.demand
    )


@st.composite
def groupings(draw: st.DrawFn) -> Grouping:
    """Units in any groups, also in such as may not leave."""
    drawn = draw(units())
    count = len(drawn.records)
    of = draw(st.lists(st.integers(0, max(count // 3, 1)), min_size=count, max_size=count))
    return Grouping.made(drawn, np.array(of, np.int64))


def met(drawn: Units, members: Ints) -> bool:
    """Whether one group may leave."""
    return bool(drawn.met(members, np.zeros(len(members), np.int64), 1)[0])


def lost(drawn: Units, members: Ints) -> float:
    """What all records of one group lose."""
    start = np.zeros(1, np.int64)
    each = sum(
        float(shape.loss(shape.hull(row[members], start))[0])
        for shape, row in zip(drawn.shapes, drawn.leaves, strict=True)
    )
    return each * int(drawn.records[members].sum())
