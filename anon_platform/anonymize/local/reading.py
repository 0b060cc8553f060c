"""A label read back: whether it covers a value, from the text alone, as whoever gets the release reads it."""

import json
import re

import polars as pl

from anon_platform.anonymize.hierarchy import SUPPRESSED, Ladder

INTERVAL = re.compile(r"\[(-?[0-9.]+), (-?[0-9.]+)\]")
MEMBER = re.compile(r'"(?:[^"\\]|\\.)*"|[^,{}"]+')


def members_of(label: str) -> list[str | None] | None:
    """The members of a set's label; None when it is no set.

    >>> members_of('{a, "b, c", null}')
    ['a', 'b, c', None]
    """
    if not (label.startswith("{") and label.endswith("}")):
        return None
    found: list[str | None] = []
    for text in MEMBER.findall(label[1:-1]):
        plain = text.strip()
        if plain:
            found.append(json.loads(plain) if plain[0] == '"' else None if plain == "null" else plain)
    return found


def covered(values: pl.Series, labels: pl.Series, built: Ladder) -> pl.Series:
    """For each value, in the finest labels of `built`, whether the label beside it covers it.

    values: original values, as `built` has them. It does when it is one of the value's ancestors (the value itself
    included), an interval of numbers that holds it, a set that names it, or `*`.
    """
    pairs = pl.DataFrame({"value": values, "label": labels})
    distinct = pairs.unique()
    found = distinct.with_columns(good=_ancestors(distinct, built) | _named(distinct, built))
    return pairs.join(found, on=["value", "label"], how="left", nulls_equal=True, maintain_order="left")[
        "good"
    ]


def _ancestors(pairs: pl.DataFrame, built: Ladder) -> pl.Series:
    known = pl.DataFrame(
        {"value": built.values}
        | {
            f"level {level}": labels.gather(pl.Series(codes.astype("uint32")))
            for level, (labels, codes) in enumerate(zip(built.labels, built.codes, strict=True))
        }
    )
    beside = pairs.join(known, on="value", how="left", nulls_equal=True, maintain_order="left")
    levels = [pl.col(name).eq_missing(pl.col("label")) for name in known.columns[1:]]
    # a value that the ladder lacks has no ancestor, not even an empty one
    inside = beside["value"].is_in(built.values.implode(), nulls_equal=True)
    return beside.select(good=pl.any_horizontal(levels))["good"] & inside


def _named(pairs: pl.DataFrame, built: Ladder) -> pl.Series:
    """By intervals and sets, label by label: there are few distinct ones."""
    finest = built.labels[0].gather(pl.Series(built.codes[0].astype("uint32")))
    texts = pairs.select("value").join(
        pl.DataFrame({"value": built.values, "text": finest}),
        on="value", how="left", nulls_equal=True, maintain_order="left",
    )["text"]  # fmt: skip
    numbers = texts.cast(pl.Float64, strict=False)
    frame = pairs.with_columns(text=texts, number=numbers).with_row_index("at")
    good: list[int] = []
    for (label,), part in frame.filter(pl.col("label").is_not_null()).group_by("label"):
        good.extend(part.filter(_inside(str(label)))["at"])
    return pl.int_range(len(pairs), eager=True).is_in(good)


def _inside(label: str) -> pl.Expr:
    if label == SUPPRESSED:
        return pl.lit(value=True)
    interval = INTERVAL.fullmatch(label)
    if interval is not None:
        between = pl.col("number").is_between(float(interval[1]), float(interval[2]))
        return between.fill_null(value=False)
    members = members_of(label)
    if members is None:
        return pl.lit(value=False)
    return pl.col("text").is_in(members, nulls_equal=True)
