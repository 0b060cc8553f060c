"""Weights and caps: what labels cost, what a search under them finds, and what it says when it cannot."""

from itertools import product
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.anonymize.hierarchy import Intervals, ladder
from anon_platform.anonymize.k_anonymity import Fitted, solve
from anon_platform.anonymize.k_anonymity.price import prices
from anon_platform.errors import PolicyError

KIND = Intervals(kind="intervals", widths=(1, 2, 4))
KINDS = {"age": KIND, "zip": KIND}
LEVELS = ("1", "2", "4", "*")

Row = tuple[int, int]


def fit(rows: list[Row], **changed: Any) -> Fitted:
    """Two people a class, nothing suppressed, unless changed."""
    counts = pl.DataFrame(rows, schema=["age", "zip"], orient="row").group_by("age", "zip").agg(n=pl.len())
    wanted: dict[str, Any] = {"person": None, "sensitive": {}, "k": 2, "suppressed_share": 0.0}
    return solve(counts, KINDS, **{**wanted, **changed})


def label(value: int, level: int) -> int:
    """What the value looks like."""
    return 0 if level == 3 else value // 2**level


def lost(values: list[int], level: int) -> list[float]:
    """The loss of each value by its definition: other leaves that look like it, of all other leaves."""
    leaves = set(values)
    return [
        (sum(label(leaf, level) == label(value, level) for leaf in leaves) - 1) / max(len(leaves) - 1, 1)
        for value in values
    ]


def by_hand(rows: list[Row], node: tuple[int, int], weights: tuple[float, float]) -> tuple[float, int]:
    """Weighted loss and suppressed records of a node."""
    labels = [(label(a, node[0]), label(b, node[1])) for a, b in rows]
    losses = zip(lost([a for a, _ in rows], node[0]), lost([b for _, b in rows], node[1]), strict=True)
    kept = [labels.count(one) >= 2 for one in labels]
    each = [
        (weights[0] * a + weights[1] * b) / sum(weights) if stays else 1.0
        for (a, b), stays in zip(losses, kept, strict=True)
    ]
    return sum(each) / len(rows), kept.count(False)


ROWS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=4, max_size=20)
WEIGHT = st.sampled_from([0.0, 0.5, 1.0, 3.0])


@settings(deadline=None, max_examples=200)
@given(
    ROWS,
    st.tuples(WEIGHT, WEIGHT).filter(any),
    st.dictionaries(st.sampled_from(["age", "zip"]), st.sampled_from(LEVELS)),
    st.sampled_from([0.0, 0.25, 1.0]),
)
def test_the_weighted_loss_is_least_within_the_caps(
    rows: list[Row], weights: tuple[float, float], caps: dict[str, str], share: float
) -> None:
    """Against every node, counted by hand; a weight of 0 is a quasi-identifier that may lose all."""
    most = [LEVELS.index(caps.get(name, "*")) for name in KINDS]
    nodes = list(product(range(most[0] + 1), range(most[1] + 1)))
    found = {node: by_hand(rows, node, weights) for node in nodes}
    good = [node for node in nodes if found[node][1] <= share * len(rows)]
    given_ = {"weights": dict(zip(KINDS, weights, strict=True)), "caps": caps, "suppressed_share": share}
    if not good:
        with pytest.raises(PolicyError, match=r"^no generalization with the caps of "):
            fit(rows, **given_)
        return
    best = fit(rows, **given_)
    assert best.solution.node in good
    assert best.solution.loss == pytest.approx(min(found[node][0] for node in good), abs=1e-9)
    assert best.solution.loss == pytest.approx(found[best.solution.node][0], abs=1e-9)
    equal = by_hand(rows, (best.solution.node[0], best.solution.node[1]), (1, 1))[0]
    assert best.solution.information_loss == pytest.approx(equal, abs=1e-9)


def test_weights_decide_which_quasi_identifier_gives_way() -> None:
    """Two records that differ in both: the one that weighs less is generalized."""
    rows = [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert fit(rows, weights={"age": 5}).levels == {"age": "1", "zip": "2"}
    assert fit(rows, weights={"zip": 5}).levels == {"age": "2", "zip": "1"}


ROWS_APART: list[Row] = [(0, 0), (5, 0)]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"caps": {"age": "8"}},
            "caps: column age has no level 8; its levels are 1, 2, 4, *",
        ),
        ({"caps": {"sex": "*"}}, "caps: sex is no quasi-identifier; these are age, zip"),
        ({"weights": {"sex": 1.0}}, "weights: sex is no quasi-identifier; these are age, zip"),
        *[
            (
                {"weights": weights},
                "weights: a weight is a finite number, 0 or more, and at least one of them more than 0",
            )
            for weights in (
                {"age": -1.0},
                {"age": float("nan")},
                {"age": float("inf")},
                {"age": 0.0, "zip": 0.0},
            )
        ],
        (
            {"caps": {"age": "4"}},
            (
                "no generalization with the caps of age reaches k and all models with so few records suppressed; lower"
                " them, or allow more suppression (thresholds.suppressed_records), or take back caps"
            ),
        ),
    ],
)
def test_weights_and_caps_that_cannot_be_are_refused(changed: dict[str, Any], message: str) -> None:
    """Saying what is possible."""
    with pytest.raises(PolicyError) as fault:
        fit(ROWS_APART, **changed)
    assert str(fault.value) == message


def test_labels_above_a_cap_cost_more_than_anything() -> None:
    """Local recoding adds up prices label by label, and must never choose one of these."""
    built = ladder(KIND, pl.Series(range(8)), column="age")
    capped, free = prices([built, built], caps=[1, None])
    assert [bool(np.isinf(level).all()) for level in capped] == [False, False, True, True]
    assert not any(np.isinf(level).any() for level in free)
    assert free[-1].tolist() == [0.5]


def test_out_of_time_is_told() -> None:
    """The caller can say how far from the best the release may be."""
    rows = [(a, b) for a in range(7) for b in range(7)]
    found = fit(rows, seconds=0.0).solution
    assert (found.proven, found.evaluated) == (False, 1)
    assert found.lower_bound < found.loss == 1.0
    assert fit(rows).solution.proven
