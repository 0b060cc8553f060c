"""Prefixes, groups and inferred hierarchies: labels by hand, refusals, and what the data decides."""

import datetime as dt
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from anon_platform.anonymize.hierarchy import Choice, Dates, Groups, Inferred, Intervals, Prefix, ladder
from anon_platform.errors import HierarchyGapError, PolicyError
from anon_platform_tests import oracles
from anon_platform_tests.anonymize.labels import labels_of

INFERRED = Inferred(kind="inferred", least=3, levels=2)

# --- prefixes


@pytest.mark.parametrize(
    ("redact", "value", "expected"),
    [
        ("right", "12345", ["12345", "1234*", "12***"]),
        ("right", "123", ["123", "12*", "12*"]),
        ("right", "1", ["1", "*", "*"]),
        ("right", "", ["", "", ""]),
        ("right", "Zürich", ["Zürich", "Züri**", "Zü****"]),
        ("left", "12345", ["12345", "*2345", "***45"]),
        ("left", "12", ["12", "*2", "*2"]),
        ("left", None, [None, None, None]),
    ],
)
def test_characters_become_stars_from_one_end(redact: Any, value: str | None, expected: list[str]) -> None:
    """A short code is shown whole only where the policy says `whole`."""
    kind = Prefix(kind="prefix", keep=(4, 2), whole=True, redact=redact)
    side = "first" if redact == "right" else "last"
    assert kind.level_names == ("whole", f"{side} 4", f"{side} 2")
    assert labels_of(kind, [value], pl.String()) == [expected]


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=6), st.lists(st.integers(1, 7), min_size=1, unique=True))
def test_a_prefix_shows_what_it_keeps_and_no_more(text: str, keep: list[int]) -> None:
    """By hand: the first characters, but never the last one."""
    kept = sorted(keep, reverse=True)
    (found,) = labels_of(Prefix(kind="prefix", keep=tuple(kept)), [text], pl.String())
    for number, label in zip(kept, found, strict=True):
        shown = text[: max(min(number, len(text) - 1), 0)]
        assert label == shown + "*" * (len(text) - len(shown))


@pytest.mark.parametrize("keep", [(2, 3), (3, 3), ()])
def test_keep_goes_from_fine_to_coarse(keep: tuple[Any, ...]) -> None:
    """Coarse before fine would have the search climb down."""
    with pytest.raises(ValidationError, match=r"keep goes from fine to coarse|at least 1 item"):
        Prefix(kind="prefix", keep=keep)


# --- groups


def test_neighbours_in_a_listed_order_are_joined() -> None:
    """The last group may be smaller; all listed values are leaves."""
    kind = Groups(kind="groups", order=("never", "once", "twice", "often", "always"), sizes=(1, 2, 4))
    assert kind.level_names == ("groups of 1", "groups of 2", "groups of 4")
    assert labels_of(kind, ["never", "twice", "always", None]) == [
        ["never", "never to once", "never to often"],
        ["twice", "twice to often", "never to often"],
        ["always", "always", "always"],
        [None, None, None],
    ]
    assert ladder(kind, pl.Series(["never"]), column="smokes").loss(1).tolist() == [0.25]


def test_numbers_are_joined_in_their_order_over_the_whole_column() -> None:
    """A batch that lacks a value must not shift the groups; NaN counts as null."""
    kind = Groups(kind="groups", ascending=True, sizes=(2,))
    values = pl.Series([10.0, 9.0, -1.0, float("nan"), None, 100.0])
    fitted = kind.fitted(values, pl.Series([1] * 6))
    assert labels_of(fitted, [9.0, 10.0, 100.0, float("nan"), None]) == [
        ["-1.0 to 9.0"],
        ["10.0 to 100.0"],
        ["10.0 to 100.0"],
        [None],
        [None],
    ]
    assert kind.leaves() is None
    empty = kind.fitted(pl.Series([None], dtype=pl.Int64), pl.Series([1]))
    assert ladder(empty, pl.Series([None], dtype=pl.Int64), column="age").leaves == 1
    with pytest.raises(PolicyError, match="groups in ascending order are known when the column was counted"):
        kind.labels(values)


def test_named_groups_nest() -> None:
    """Regions of states, written in the policy."""
    kind = Groups(
        kind="groups",
        named=(
            {"lakes": ("IL", "WI"), "gulf": ("TX",), "west": ("CA",)},
            {"in": ("lakes",), "out": ("gulf", "west")},
        ),
    )
    assert kind.level_names == ("level 1", "level 2")
    assert labels_of(kind, ["WI", "TX", None]) == [["lakes", "in"], ["gulf", "out"], [None, None]]
    with pytest.raises(HierarchyGapError) as fault:
        kind.labels(pl.Series(["IL", "Jane Roe"]))
    assert fault.value.missing == ("Jane Roe",)
    assert str(fault.value).startswith("the policy's list of groups does not name 1 of the column's values;")


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({}, "say which groups"),
        ({"order": ("a",)}, "say which groups"),
        ({"sizes": (2,)}, "say which groups"),
        ({"order": ("a",), "sizes": (1,), "named": ({"x": ("a",)},)}, "say which groups"),
        ({"order": ("a",), "ascending": True, "sizes": (1,)}, "say which groups"),
        ({"order": ("a", "b"), "sizes": (2, 3)}, "sizes must ascend, each a multiple"),
        ({"order": ("a", "a"), "sizes": (2,)}, "stands in the groups twice"),
        ({"order": ("a", "b to c", "a to b", "c"), "sizes": (2,)}, "two groups would have the same name"),
        ({"named": ({"x": ("a",), "y": ("a",)},)}, "stands in the groups twice"),
        ({"named": ({"x": ("a",), "y": ("b",)}, {"z": ("x",)})}, "lists every group of the level before"),
    ],
)
def test_groups_that_do_not_add_up_are_refused(settings_: dict[str, Any], message: str) -> None:
    """A value in two groups, a group in none."""
    with pytest.raises(ValidationError, match=message):
        Groups(kind="groups", **settings_)


# --- inferred


def inferred(values: list[Any], people: list[int] | None = None, dtype: Any = None) -> Choice:
    return INFERRED.fitted(
        pl.Series(values, dtype=dtype), pl.Series(people or [1] * len(values), dtype=pl.Int64)
    )


def test_numbers_become_intervals_and_dates_dates() -> None:
    """What was chosen is said in words, without a value."""
    numbers = inferred([1, 2, 3, 70], [3, 3, 3, 3])
    assert isinstance(numbers.hierarchy, Intervals)
    assert numbers.level_names == ("level 1", "level 2")
    assert numbers.in_words() == "numbers: intervals with optimal cuts, 4, 2 of them from fine to coarse"
    dates = inferred([dt.date(2020, 1, 1)])
    assert isinstance(dates.hierarchy, Dates)
    assert dates.in_words() == "dates: day, month, quarter, year"


def test_codes_with_common_beginnings_are_cut() -> None:
    """A cut that joins nothing is no level."""
    codes = inferred(["60614", "60615", "60616", "53703"])
    assert codes.hierarchy == Prefix(kind="prefix", keep=(4,), whole=True)
    assert codes.in_words() == "codes of one length with common beginnings: whole, or the first 4"
    for others in (["60614", "6061"], ["ab1", "cd2"], ["a b 1", "a b 2", "a b 3"], ["abc", "abd"], ["60614"]):
        assert not isinstance(inferred(others).hierarchy, Prefix)


def test_of_all_else_the_frequent_values_stay_alone() -> None:
    """Rare values, which single people out, are together from the finest level on."""
    found = inferred(["flu", "cold", "gout", None], [6, 3, 2, 9])
    assert found.in_words() == "frequent values alone, the rest together: 2, 1 stay alone from fine to coarse"
    assert labels_of(found, ["flu", "cold", "gout", "unseen", None]) == [
        ["flu", "flu"],
        ["cold", "other"],
        ["other", "other"],
        ["other", "other"],
        [None, None],
    ]
    assert labels_of(inferred([True, False], [9, 3]), [True, False]) == [["true", "true"], ["false", "other"]]


def test_an_unfitted_hierarchy_has_no_labels() -> None:
    """A forgotten count must not become a silent default."""
    with pytest.raises(PolicyError, match="an inferred hierarchy is known when the column was counted"):
        INFERRED.labels(pl.Series([1]))


COLUMNS = st.one_of(
    st.lists(st.integers(-20, 20), max_size=8, unique=True).map(lambda v: (v, pl.Int64())),
    st.lists(st.dates(), max_size=8, unique=True).map(lambda v: (v, pl.Date())),
    st.lists(st.text(st.sampled_from("ab1 "), max_size=4), max_size=8, unique=True).map(
        lambda v: (v, pl.String())
    ),
    st.just(([True, False], pl.Boolean())),
)


@settings(deadline=None, max_examples=150)
@given(COLUMNS, st.lists(st.integers(0, 9), min_size=8, max_size=8), st.randoms())
def test_what_is_inferred_is_a_hierarchy_and_the_same_for_the_same_counts(
    column: tuple[list[Any], pl.DataType], people: list[int], rng: Any
) -> None:
    """One parent each, nulls stay null, and the order of the counts does not matter."""
    values, dtype = column
    pairs = list(zip([*values, None], [*people[: len(values)], 1], strict=True))
    found = inferred([v for v, _ in pairs], [n for _, n in pairs], dtype)
    labels = labels_of(found, [v for v, _ in pairs], dtype)
    assert labels[-1] == [None] * len(found.level_names)
    assert oracles.one_parent([[label[level] for label in labels] for level in range(len(found.level_names))])
    rng.shuffle(pairs)
    again = inferred([v for v, _ in pairs], [n for _, n in pairs], dtype)
    assert again == found
