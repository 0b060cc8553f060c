"""The report of a differentially private release: what it says is true, and none of it is exact."""

import math
import re
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from anon_platform.dp import loss_of
from anon_platform.pipeline import run
from anon_platform.publish.dp.meaning import bounds, posterior, two_sentences
from anon_platform_tests.clinic import visits, write_csv
from anon_platform_tests.private_clinic import make_private_clinic


def loss(epsilon: float, delta: float, neighbours: str = "add_or_remove_person") -> dict[str, Any]:
    """`privacy_loss` as a manifest has it."""
    found = loss_of(epsilon, delta)
    return {
        "measure": found.measure, "units": found.units, "delta_units": found.delta_units,
        "delta": delta, "epsilon": epsilon, "neighbours": neighbours,
    }  # fmt: skip


@pytest.mark.parametrize("epsilon", [0.1, 1.0, 4.0])
@pytest.mark.parametrize("delta", [1e-3, 1e-6])
def test_odds_grow_beyond_what_is_said_with_less_than_delta(epsilon: float, delta: float) -> None:
    """Of Gaussian noise the privacy loss is a Gaussian of mean ρ and variance 2ρ.

    Beyond ε it is with more chance than δ: a report that named ε there would be wrong.
    """
    told = loss(epsilon, delta)
    rho = told["units"] * 1e-9
    beyond = [
        norm.sf((most - r) / math.sqrt(2 * r)) for most, r in zip(bounds(told), (rho, 4 * rho), strict=True)
    ]
    assert max(beyond) < delta
    assert norm.sf((epsilon - rho) / math.sqrt(2 * rho)) > delta


def test_what_records_say_is_two_steps_away() -> None:
    """Laplace noise at ε = 1 on two wards: of the ward one may be as sure as 2ε says, of being there as ε says."""
    there, said = bounds(loss(1.0, 0.0))
    seen = np.arange(-60, 61)
    p = math.exp(-1.0)
    mass = (1 - p) / (1 + p) * p ** np.abs(seen)
    shifted = (1 - p) / (1 + p) * p ** np.abs(seen - 1)
    # in ward A, in ward B, or in none: the noisy counts of both wards
    in_a, in_b, nowhere = np.outer(shifted, mass), np.outer(mass, shifted), np.outer(mass, mass)
    assert np.log(in_a / in_b).max() == pytest.approx(2.0)
    assert np.log(in_a / nowhere).max() == pytest.approx(1.0)
    assert (there, said) == (1.0, 2.0)
    assert bounds(loss(1.0, 0.0, "change_person")) == (1.0, 1.0)


def test_beliefs_follow_bayes() -> None:
    for prior in (0.01, 0.5, 0.9):
        assert posterior(prior, 0.7) == pytest.approx(
            prior * math.exp(0.7) / (prior * math.exp(0.7) + 1 - prior)
        )


def test_two_sentences_name_the_chance_that_they_fail() -> None:
    told = two_sentences(loss(1.0, 1e-6), "patient")
    assert told.count(". ") == 1
    assert "at most 77 % sure" in told
    assert "but for a chance of 1 in 1,000,000" in told
    assert "chance" not in two_sentences(loss(1.0, 0.0), "patient")


def test_the_report_explains_the_loss_and_tells_nothing_exact(tmp_path: Path) -> None:
    rows = visits(1237)
    file = make_private_clinic(tmp_path)
    write_csv(tmp_path / "source" / "visits.csv", rows)
    release = Path(run(file).validated.path)
    page = (release / "report.html").read_text()
    # a noisy answer may hit the exact number by chance
    assert '<div class="answers">' in page
    page = re.sub(r'<div class="answers">.*?</div>', " ", page, flags=re.DOTALL)
    shown = " ".join(unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)).split())
    assert (
        "What ε means. This release would have looked nearly the same had any one patient’s records" in shown
    )
    assert "patients_of_the_clinic" in shown
    assert "Of a patient with more than 2 rows, 2 were drawn at random" in shown
    assert "0 to 100, 5 bins" in shown
    for name in ("patients", "by_sex", "stay"):
        assert name in shown
    assert "Gaussian, deviation" in shown
    for number in (
        len(rows),
        1237,
        sum(row[4] == "F" for row in rows),
        sum(row[-1] == "yes" for row in rows),
    ):
        assert not re.search(rf"(?<![\w.,]){number:,}(?![\w.,])|(?<![\w.,]){number}(?![\w.,])", shown)
    assert "Name12" not in page


def test_what_others_were_given_is_counted_and_not_named(tmp_path: Path) -> None:
    """A recipient need not know what was given to whom, and for what."""
    one = {"formats": ["csv"], "recipient": "first team", "purpose": "a purpose of the first"}
    assert run(make_private_clinic(tmp_path, publish=one)).released
    release = Path(run(make_private_clinic(tmp_path)).validated.path)
    for text in ((release / "report.html").read_text(), (release / "assessment.json").read_text()):
        assert "first team" not in text
        assert "purpose of the first" not in text
    assert "1 release to others also takes from the account" in (release / "report.html").read_text()
