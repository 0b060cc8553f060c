"""What the released text still says of anybody in the dataset: a relative's telephone number, the name of the next bed."""

from collections.abc import Iterator, Sequence
from itertools import permutations

import polars as pl

from anon_platform.anonymize import OfRecords
from anon_platform.table import PERSON, ROW
from anon_platform.validate.evidence import Evidence
from anon_platform.validate.files import read_released
from anon_platform.validate.metric import Metric, most

CHECK = "text_deidentification"

LEAST_CODE = 5
"""Letters and digits of a value with digits that is looked for; shorter ones, such as house numbers, stand for much else."""

WORDS = 6
"""Words of a value that is looked for, at most; of a longer one its first words."""

ONE_WORD = 0.9
"""Share of a column's values that are one word each, from which on they are taken for names."""

NOTES = 20_000
"""Notes that are looked at together."""


def measure_others_in_text(evidence: Evidence) -> list[Metric]:
    """By de-identified text column the share of notes that still say what a row of the dataset holds, any row.

    Looked for in the columns of `known_from`: values with digits, values of several words, and two words of one row
    side by side, as a given and a family name. A value counts where the original note says it, too: what a surrogate says
    by chance is nobody's. One word without digits is not looked for, since names are words.
    """
    found = []
    for name in evidence.policy.released:
        for step in evidence.policy.columns[name].treat:
            if isinstance(step, OfRecords) and step.known_from:
                known = [column for column in step.known_from if column != name]
                notes, leaks = _counted(evidence, name, known)
                share = leaks / notes if notes else 0.0
                limit = evidence.policy.thresholds.others_in_text
                title = f"identifiers of anybody left in {name}"
                found.append(most(CHECK, title, share, limit, "share of notes"))
    return found


def _counted(evidence: Evidence, name: str, known: Sequence[str]) -> tuple[int, int]:
    """(notes that are not empty, notes that say something of somebody)."""
    released = read_released(evidence.data, [name]).with_columns(evidence.kept[ROW]).drop_nulls(name)
    if released.is_empty():
        return 0, 0
    sayings = identifying(evidence, known)
    notes = leaks = 0
    for batch in _pairs(evidence, released, name):
        notes += batch.height
        leaks += _saying(batch, sayings)
    return notes, leaks


def _pairs(evidence: Evidence, released: pl.DataFrame, name: str) -> Iterator[pl.DataFrame]:
    """`before` and `after`, original and released notes side by side."""
    after = released.rename({name: "after"})
    for batch in evidence.source.batches([ROW, name]):
        both = batch.rename({name: "before"}).join(after, on=ROW, how="inner")
        for first in range(0, both.height, NOTES):
            yield both.slice(first, NOTES).select(
                pl.int_range(pl.len(), dtype=pl.UInt32).alias("note"), "before", "after"
            )


def identifying(evidence: Evidence, known: Sequence[str]) -> pl.Series:
    """Hashes of what identifies somebody, as `plain` spells it, of all rows of the source."""
    parts = [pl.Series("saying", [], dtype=pl.UInt64)]
    words: list[str] = []
    for column in known:
        values = evidence.source.counts([column])[column].drop_nulls().cast(pl.String)
        spelled = values.to_frame("value").select(plain(pl.col("value")).alias("saying"))["saying"].unique()
        enough = spelled.to_frame().filter(_identifies())["saying"]
        parts.append(_first_words(enough).hash(seed=0).rename("saying"))
        if _of_names(spelled):
            words.append(column)
    for left, right in permutations(words, 2):
        pairs = evidence.source.counts([PERSON, left, right]).drop_nulls([left, right])
        said = pairs.select(
            pl.concat_str(plain(pl.col(left)), plain(pl.col(right)), separator=" ").alias("s")
        )["s"]
        parts.append(_first_words(said.unique()).hash(seed=0).rename("saying"))
    return pl.concat(parts).unique()


def _of_names(spelled: pl.Series) -> bool:
    """Whether nearly all values are one word without digits, as given and family names are, and cities are not."""
    words = ~spelled.str.contains(r"\d| ")
    return len(spelled) > 0 and float(words.mean() or 0.0) >= ONE_WORD  # type: ignore[arg-type]


def plain(text: pl.Expr) -> pl.Expr:
    """Small letters and digits, with one blank for whatever stands between.

    >>> pl.select(plain(pl.lit(" O'Neill,  312-555"))).item()
    'o neill 312 555'
    """
    return (
        text.cast(pl.String).str.to_lowercase().str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars(" ")
    )


def _identifies() -> pl.Expr:
    saying = pl.col("saying")
    bare = saying.str.replace_all(" ", "")
    code = saying.str.contains(r"\d") & (bare.str.len_chars() >= LEAST_CODE)
    return code | saying.str.contains(r"\p{L} .*\p{L}")


def _first_words(sayings: pl.Series) -> pl.Series:
    return sayings.str.split(" ").list.head(WORDS).list.join(" ")


def _saying(batch: pl.DataFrame, sayings: pl.Series) -> int:
    """Notes of which some run of words identifies somebody and stands in the original, too."""
    before, after = (_words(batch, side) for side in ("before", "after"))
    found = [pl.Series("note", [], dtype=pl.UInt32)]
    wanted = sayings.to_frame("saying")
    for length in range(1, WORDS + 1):
        runs = _runs(after, length).join(wanted, on="saying", how="semi")
        if runs.height:
            both = runs.join(_runs(before, length), on=["note", "saying"], how="semi")
            found.append(both["note"])
    return pl.concat(found).n_unique()


def _words(batch: pl.DataFrame, side: str) -> pl.DataFrame:
    """`note` and `word`, in the order of the text."""
    return (
        batch.select("note", plain(pl.col(side)).str.split(" ").alias("word"))
        .explode("word")
        .filter(pl.col("word").str.len_chars() > 0)
    )


def _runs(words: pl.DataFrame, length: int) -> pl.DataFrame:
    """`note` and the hash of every run of so many words of it."""
    following = [pl.col("word").shift(-step) for step in range(length)]
    last = pl.col("note").shift(-(length - 1)) == pl.col("note")
    runs = words.select("note", pl.concat_str(*following, separator=" ").alias("run"), last.alias("whole"))
    return runs.filter(pl.col("whole")).select("note", pl.col("run").hash(seed=0).alias("saying"))
