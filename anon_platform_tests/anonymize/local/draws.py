"""Small tables and what is asked of them, drawn by Hypothesis."""

from typing import Any

import polars as pl
from hypothesis import strategies as st

from anon_platform.anonymize.hierarchy import Flat, Intervals, Prefix
from anon_platform.anonymize.hierarchy.levels import LevelLabels
from anon_platform.anonymize.local import Mondrian
from anon_platform_tests.anonymize.local.recount import MODELS, Paths, Wanted

TOWNS = Paths(
    {
        "a": ("a", "ab", "abcd"),
        "b": ("b", "ab", "abcd"),
        "c": ("c", "cd", "abcd"),
        "d": ("d", "cd", "abcd"),
        "e": ("e", "ef", "ef"),
        "f": ("f", "ef", "ef"),
    }
)
AGES = Paths(
    {str(age): (str(age), f"{age // 2 * 2}..", f"{age // 4 * 4}...") for age in range(-1, 120)}, known=False
)
KINDS: dict[str, LevelLabels] = {
    "age": AGES,
    "town": TOWNS,
    "zip": Prefix(kind="prefix", keep=(2, 1)),
    "sex": Flat(kind="flat"),
    "dose": Intervals(kind="intervals", widths=(2, 6)),
}
"""Numbers, text with known leaves, text that loses at the finest level, two values, and intervals of any number."""

TYPES: dict[str, Any] = {
    "age": pl.Int64, "town": pl.String, "zip": pl.String, "sex": pl.String, "dose": pl.Int64,
    "who": pl.Int64, "dx": pl.String,
}  # fmt: skip

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "age": st.none() | st.integers(-1, 6),
    "town": st.none() | st.sampled_from("abcdf"),
    "zip": st.sampled_from(["123", "124", "131", "22", "31"]),
    "sex": st.none() | st.sampled_from("fm"),
    "dose": st.integers(0, 8),
}


@st.composite
def tables(draw: st.DrawFn, *, most: int = 24, people: int = 30) -> pl.DataFrame:
    """Rows with one to five quasi-identifiers, a person and a diagnosis. Rows often look the same."""
    names = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=5, unique=True))
    row = st.tuples(*(VALUES[name] for name in names))
    looks = draw(st.lists(row, min_size=1, max_size=8))
    alike = draw(st.booleans())
    rows = draw(st.lists(st.sampled_from(looks) if alike else row, min_size=1, max_size=most))
    who = draw(st.lists(st.integers(0, people), min_size=len(rows), max_size=len(rows)))
    dx = draw(st.lists(st.sampled_from("abc"), min_size=len(rows), max_size=len(rows)))
    schema = {name: TYPES[name] for name in [*names, "who", "dx"]}
    return pl.DataFrame(
        [(*row, i, value) for row, i, value in zip(rows, who, dx, strict=True)], schema=schema, orient="row"
    )


@st.composite
def demands(draw: st.DrawFn, names: list[str], rows: int) -> Wanted:
    """Anything that `recode` can be asked, of these quasi-identifiers."""
    some = st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True).map(tuple)
    levels = {name: [*KINDS[name].level_names, "*"] for name in names}
    capped = draw(st.lists(st.sampled_from(names), max_size=2, unique=True)) if draw(st.booleans()) else []
    weights = {name: draw(st.sampled_from([0.0, 0.5, 3.0])) for name in names[1:]}
    return Wanted(
        k=draw(st.sampled_from([1, 2, 3, 5, rows])),
        share=draw(st.sampled_from([0.0, 0.1, 0.3, 1.0])),
        models=tuple(draw(st.lists(st.integers(0, len(MODELS) - 1), max_size=2, unique=True))),
        attackers=tuple(draw(st.lists(st.tuples(some, st.integers(1, 6)), max_size=2))),
        mean_risk=draw(st.sampled_from([None, 0.5, 0.3])),
        unique_records=draw(st.sampled_from([None, 0.0, 0.25])),
        weights=weights if draw(st.booleans()) else {},
        caps={name: draw(st.sampled_from(levels[name])) for name in capped},
    )


MONDRIAN = st.builds(Mondrian, split=st.sampled_from(["median", "best_loss"]), strict=st.booleans())
HOW = st.fixed_dictionaries(
    {
        "output": st.sampled_from(["hierarchy", "intervals"]),
        "effort": st.sampled_from(["fast", "best"]),
        "mondrian": st.none() | MONDRIAN,
    }
)
"""How `recode` goes about it."""
