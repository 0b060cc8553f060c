"""A synthetic table tried inside: distances against a slow count, and attacks that find out what they should."""

from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.dp.domain import Categories, Domain, Numbers
from anon_platform.dp.synthetic.coded import columns_of
from anon_platform.table import PERSON
from anon_platform.validate.dp.constraints import broken_rows
from anon_platform.validate.dp.trial import Trial, pairs_distance, tried

DOMAINS: dict[str, Domain] = {
    "age": Numbers(kind="numbers", bounds=(0.0, 99.0), bins=10),
    "stay": Numbers(kind="numbers", bounds=(0.0, 999.0), bins=20),
    "sex": Categories(kind="categories", values=("F", "M")),
    "ward": Categories(kind="categories", values=("a", "b", "c")),
}


def people(number: int, seed: int, first: int = 0) -> pl.DataFrame:
    """Rows of people who differ from each other, one each; a long stay is likelier on ward c."""
    rng = np.random.default_rng(seed)
    stay = rng.integers(0, 1000, number)
    return pl.DataFrame(
        {
            PERSON: np.arange(first, first + number),
            "age": rng.integers(0, 100, number),
            "stay": stay,
            "sex": rng.choice(["F", "M"], number),
            "ward": np.where(rng.random(number) < stay / 1000, "c", rng.choice(["a", "b"], number)),
        }
    )


def trial(table: pl.DataFrame, members: pl.DataFrame, others: pl.DataFrame) -> Trial:
    return tried(table, members, others, DOMAINS, frozenset(), "ward", "c", 1)


cells = st.tuples(
    st.integers(0, 99), st.integers(0, 999), st.sampled_from(["F", "M", None]), st.sampled_from(["a", "b", "c", None])
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(cells, min_size=1, max_size=12), st.lists(cells, min_size=1, max_size=12))
def test_the_distance_of_pairs_is_that_of_counting_each_pair_by_hand(
    left: list[tuple[object, ...]], right: list[tuple[object, ...]]
) -> None:
    """Half of the summed differences of shares, bins counted in plain Python, mean over the pairs."""

    def binned(row: tuple[object, ...]) -> tuple[object, ...]:
        age, stay, sex, ward = row
        # edges lie at 9.9, 19.8, … and at 49.95, 99.9, …; values are whole
        assert isinstance(age, int)
        assert isinstance(stay, int)
        return (
            sum(age >= 9.9 * k - 1e-9 for k in range(1, 10)),
            sum(stay >= 49.95 * k - 1e-9 for k in range(1, 20)),
            sex,
            ward,
        )

    sides = [[binned(row) for row in rows] for rows in (left, right)]
    total = []
    for one, other in combinations(range(4), 2):
        pairs = [[(row[one], row[other]) for row in side] for side in sides]
        keys = {*pairs[0], *pairs[1]}
        total.append(
            sum(abs(pairs[0].count(k) / len(left) - pairs[1].count(k) / len(right)) for k in keys) / 2
        )
    frames = [pl.DataFrame(rows, schema=dict(zip(DOMAINS, (pl.Int64, pl.Int64, pl.String, pl.String), strict=True)), orient="row") for rows in (left, right)]  # fmt: skip
    columns = columns_of(dict(frames[0].schema), DOMAINS, frozenset())
    assert pairs_distance(frames[0], frames[1], columns) == pytest.approx(sum(total) / len(total))


def test_an_empty_table_is_as_far_as_can_be() -> None:
    rows = people(5, 1)
    columns = columns_of(dict(rows.schema), DOMAINS, frozenset())
    assert pairs_distance(rows.head(0), rows, columns) == 1.0
    assert pairs_distance(rows, rows, columns) == 0.0


def test_a_table_that_copies_its_people_is_found_out() -> None:
    """Membership says so with certainty, and predicates single out those people and no others."""
    members, others = people(300, 1), people(300, 2, first=300)
    found = trial(members.drop(PERSON), members, others)
    area, low, _ = found.membership.auc
    assert area > 0.95
    assert low > 0.9
    assert found.singling_out.low > 0
    assert found.inference is not None
    assert found.inference.low > 0.9
    assert found.pairs == 0.0


def test_a_table_of_other_people_tells_of_nobody() -> None:
    """As good as any table of strangers, and a coin to whoever attacks; 99.9 % of draws are within these bounds."""
    members, others = people(400, 1), people(400, 2, first=400)
    found = trial(people(400, 3).drop(PERSON), members, others)
    assert found.membership.auc[0] == pytest.approx(0.5, abs=0.07)
    assert found.singling_out.low == 0.0
    assert found.inference is not None
    assert found.inference.low == 0.0
    assert found.pairs == pytest.approx(found.floor, abs=0.05)
    assert found.auc is not None
    assert found.auc_of_data is not None
    assert found.auc == pytest.approx(found.auc_of_data, abs=0.1)
    assert found.auc > 0.6


def test_a_table_without_relations_is_good_for_no_model() -> None:
    members, others = people(400, 1), people(400, 2, first=400)
    table = members.drop(PERSON).with_columns(pl.col("ward").shuffle(seed=3))
    found = trial(table, members, others)
    assert found.auc is not None
    assert found.auc == pytest.approx(0.5, abs=0.12)
    assert broken_rows(table, []) == 0
