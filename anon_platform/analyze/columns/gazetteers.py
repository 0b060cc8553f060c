"""Names of people and places in a column: the share of its distinct values that the word lists of the package know."""

# ruff: noqa: PLR2004, SIM905 - word lists read best as words, numbers in the rule that they belong to

import gzip
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import polars as pl

from anon_platform.analyze.columns.facts import Facts

_TITLES = r"\b(dr|dra|prof|mr|mrs|ms|miss|md|phd|jr|sr|sra|herr|frau)\b"

MOST = 5_000
"""Distinct values that are looked up."""

STATES = frozenset(
    """al ak az ar ca co ct de dc fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm ny nc nd oh ok or pa
    pr ri sc sd tn tx ut vt va wa wv wi wy as gu vi mp ab bc mb nb nl ns nt nu on pe qc sk yt nsw vic qld act tas
    alabama alaska arizona arkansas california colorado connecticut delaware florida georgia hawaii idaho illinois
    indiana iowa kansas kentucky louisiana maine maryland massachusetts michigan minnesota mississippi missouri montana
    nebraska nevada ohio oklahoma oregon pennsylvania tennessee texas utah vermont virginia washington wisconsin wyoming
    bayern berlin hamburg hessen sachsen thüringen saarland bremen brandenburg niedersachsen""".split()
)
COUNTRIES = frozenset(
    """us usa united-states deutschland germany france spain españa mexico méxico canada india china england italy italia
    poland polska austria österreich switzerland schweiz philippines cuba jamaica japan vietnam portugal greece ireland
    brazil colombia peru argentina chile turkey türkei russia nigeria kenya egypt iran iraq syria gb uk fr de it es at ch
    mx ca""".split()
)


@dataclass(frozen=True)
class Known:
    """Shares of distinct values, 0 to 1: given, family: one name. full: several words, names of a person. city, state, country."""

    given: float = 0.0
    family: float = 0.0
    full: float = 0.0
    city: float = 0.0
    state: float = 0.0
    country: float = 0.0


def known_names(facts: Facts) -> Known:
    """The shares; all 0 where values are no words. Numbers behind a name, as in generated data, are left out."""
    if not facts.text or not facts.distinct or facts.length > 60:
        return Known()
    look = facts.values.gather_every(max(1, -(-facts.distinct // MOST)))
    folded = pl.Series(look).str.normalize("NFKD").str.replace_all(r"\p{M}", "").str.to_lowercase()
    plain = folded.str.replace_all(r"\d+", "").str.replace_all(r"[.,]", " ").str.strip_chars()
    frame = pl.DataFrame({"v": plain, "found": folded})
    frame = frame.filter(pl.col("v").str.contains(r"\p{L}"))
    if frame.height < len(look) / 2:
        return Known()
    frame = frame.with_columns(pl.col("v").str.replace_all(_TITLES, "").str.strip_chars())
    parts = frame.with_columns(
        word=pl.col("v").str.extract_all(r"[\p{L}'’-]+"), whole=pl.col("v").str.replace_all(r"\s+", " ")
    )
    first, last, many = pl.col("word").list.first(), pl.col("word").list.last(), pl.col("word").list.len()
    given, family, places, word = (_list(name) for name in ("given", "family", "places", "words"))
    is_word = pl.col("whole").is_in(word)
    one = many == 1
    either = pl.col("word").list.eval(pl.element().is_in(given) | pl.element().is_in(family)).list.all()
    # a word of the language is no name by itself: May, Bush, Will
    tests = {
        "given": one
        & pl.col("whole").is_in(given)
        & ~(is_word & ~pl.col("whole").is_in(_list("given", 1_500))),
        "family": one
        & pl.col("whole").is_in(family)
        & ~(is_word & ~pl.col("whole").is_in(_list("family", 3_000))),
        "full": many.is_between(2, 4) & ((first.is_in(given) | last.is_in(given)) & either),
        "city": pl.col("whole").is_in(places),
        "state": pl.col("found").is_in(sorted(STATES)),
        "country": pl.col("found").is_in(sorted(COUNTRIES)),
    }
    total = len(look)
    shares = parts.select((test.sum() / total).alias(name) for name, test in tests.items()).row(0, named=True)
    return Known(**{name: float(share or 0) for name, share in shares.items()})


@cache
def _list(name: str, most: int | None = None) -> pl.Series:
    """A word list of the package as one list, or its most frequent words; sources and licences in text/data/LICENSES.md."""
    packed = (files("anon_platform.text") / "data" / f"{name}.txt.gz").read_bytes()
    return pl.Series(name, gzip.decompress(packed).decode().split("\n")[:most]).implode()
