"""Attacks on what classes hide, run for real: homogeneity, and minimality by an attacker who knows the algorithm."""

from collections import Counter, defaultdict
from collections.abc import Callable
from fractions import Fraction
from itertools import product
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.anonymize.hierarchy import Flat, Intervals
from anon_platform.anonymize.hierarchy.levels import LevelLabels
from anon_platform.anonymize.k_anonymity import solve
from anon_platform.anonymize.local import recode
from anon_platform.errors import PolicyError
from anon_platform.frequency import ColumnModel, DistinctL, EntropyL

HIERARCHIES: dict[str, LevelLabels] = {
    "age": Intervals(kind="intervals", widths=(1, 2, 4)),
    "sex": Flat(kind="flat"),
}
Rows = list[tuple[int, str, str]]
Release = Callable[[Rows, dict[str, list[ColumnModel]]], list[tuple[str | None, ...]]]


def labels_of(
    rows: Rows, models: dict[str, list[ColumnModel]], *, local: bool
) -> list[tuple[str | None, ...]]:
    """The released labels of each row, by either model, k = 2 and no suppression."""
    table = pl.DataFrame(rows, schema={"age": pl.Int64, "sex": pl.String, "ill": pl.String}, orient="row")
    counts = table.group_by(table.columns).agg(n=pl.len())
    search = recode if local else solve
    found = search(counts, HIERARCHIES, person=None, sensitive=models, k=2, suppressed_share=0.0)
    released = found.release(table.select("age", "sex"))
    assert released["kept"].all()
    return released.select("age", "sex").rows()


def full_domain(rows: Rows, models: dict[str, list[ColumnModel]]) -> list[tuple[str | None, ...]]:
    """One level a column."""
    return labels_of(rows, models, local=False)


def locally(rows: Rows, models: dict[str, list[ColumnModel]]) -> list[tuple[str | None, ...]]:
    """Each class as far as it needs."""
    return labels_of(rows, models, local=True)


people = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from("FM"), st.sampled_from(["flu", "burn", "gout"])),
    min_size=4,
    max_size=14,
)


@pytest.mark.parametrize("release", [full_domain, locally])
@settings(deadline=None, max_examples=60)
@given(people)
def test_whoever_finds_the_class_of_somebody_does_not_know_the_illness(release: Release, rows: Rows) -> None:
    """Homogeneity (Machanavajjhala et al. 2007): with distinct l no class has one illness only, with entropy l of 2 none is certain."""
    for model, most in (
        (DistinctL(model="distinct_l", l=2), None),
        (EntropyL(model="entropy_l", l=1.8), 0.83),
    ):
        try:
            labels = release(rows, {"ill": [model]})
        except PolicyError:
            continue
        classes = defaultdict(list)
        for label, (_, _, ill) in zip(labels, rows, strict=True):
            classes[label].append(ill)
        for ills in classes.values():
            assert len(set(ills)) >= 2
            # three values with exp(entropy) of 1.8 or more: the commonest has .825 at most, the others share the rest
            assert most is None or max(Counter(ills).values()) / len(ills) <= most


def test_k_alone_does_not_stop_the_homogeneity_attack() -> None:
    """The test above would otherwise prove nothing: without l there is such a class."""
    rows: Rows = [(0, "F", "flu"), (0, "F", "flu"), (3, "M", "burn"), (3, "M", "gout")]
    labels = full_domain(rows, {})
    assert {ill for label, (_, _, ill) in zip(labels, rows, strict=True) if label == labels[0]} == {"flu"}


def posteriors(
    release: Release, known: list[tuple[int, str]], models: dict[str, list[ColumnModel]]
) -> list[tuple[Fraction, Fraction]]:
    """(what a class shows, what an attacker knows) of everybody in every world that can be released.

    The attacker knows everybody's quasi-identifiers and the algorithm, and believes all assignments of illnesses
    equally likely. Of each release the worlds that lead to it are listed: the share of them in which somebody is ill.
    """
    worlds = defaultdict(list)
    for ills in product(["yes", "no"], repeat=len(known)):
        rows: Rows = [(age, sex, ill) for (age, sex), ill in zip(known, ills, strict=True)]
        try:
            labels = release(rows, models)
        except PolicyError:
            continue
        shown = tuple(sorted(Counter(zip(labels, ills, strict=True)).items(), key=repr))
        worlds[tuple(labels), shown].append(ills)
    found = []
    for (labels, shown), possible in worlds.items():
        counts = dict(shown)
        for at, label in enumerate(labels):
            ill, well = counts.get((label, "yes"), 0), counts.get((label, "no"), 0)
            certain = Fraction(sum(world[at] == "yes" for world in possible), len(possible))
            found.append((Fraction(ill, ill + well), certain))
    return found


KNOWN = [(0, "F"), (0, "F"), (1, "F"), (1, "F"), (4, "M"), (5, "M")]


@pytest.mark.parametrize("release", [full_domain, locally])
def test_k_anonymity_tells_the_attacker_nothing_beyond_the_class(release: Release) -> None:
    """Minimality (Wong et al. 2007): classes that do not depend on illnesses say nothing about them."""
    found = posteriors(release, KNOWN, {})
    assert found
    assert all(shown == known for shown, known in found)


@pytest.mark.parametrize("release", [full_domain, locally])
def test_l_diversity_does_not_cover_the_minimality_attack_and_the_docs_say_so(release: Release) -> None:
    """Labels that are coarser than k needs tell that finer ones were not diverse: known, and not claimed otherwise."""
    found = posteriors(release, KNOWN, {"ill": [DistinctL(model="distinct_l", l=2)]})
    assert any(known != shown for shown, known in found)
    text = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
    assert "minimality attack" in text.lower()
