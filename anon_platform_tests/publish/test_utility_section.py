"""The report's section on usefulness, from a real assessment of a small release."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from anon_platform.policy import Model
from anon_platform.publish.plots.utility import small_bars
from anon_platform.publish.report import page
from anon_platform.validate import assess
from anon_platform_tests.publish.releases import Values, released
from anon_platform_tests.publish.test_report import Page
from anon_platform_tests.publish.test_report_in_browser import MEASURE, browser
from anon_platform_tests.validate.small_releases import POLICY, release, source_of
from anon_platform_tests.validate.test_prediction import MODEL, visits

__all__ = ["browser"]
"""The fixture."""


def assessed(folder: Path, utility: dict[str, Any] | None) -> tuple[Values, Values]:
    """Manifest and assessment of a release whose usefulness was measured."""
    thresholds = {**POLICY["thresholds"], "model_loss": 1.0}
    settings = {"thresholds": thresholds, "model": Model.model_validate(MODEL)}
    found = assess(release(folder, source_of(visits()), range(600), utility, **settings))
    manifest, assessment = released()
    told = json.loads(json.dumps(found.model_dump(mode="json")))
    assessment["detail"] |= {name: told["detail"][name] for name in ("utility", "model", "fidelity")}
    manifest["metrics"] = [*manifest["metrics"], *(m for m in told["metrics"] if m["check"] != "k_anonymity")]
    return manifest, assessment


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> tuple[Values, Values]:
    """With everything that is measured."""
    return assessed(tmp_path_factory.mktemp("useful"), {"query_error": 1.0})


def test_the_section_shows_every_kind_of_measure(case: tuple[Values, Values]) -> None:
    """What was measured and is not shown cannot be judged by whoever signs."""
    found = Page(page(*case))
    for words in (
        "Usefulness in detail", "Columns that changed most at their original detail", "Precision lost",
        "k-marginal score is", "a pMSE of", "Pairs: associations of", "generated workload", "Gradient boosting",
        "Logistic regression", "Area under the precision-recall curve", "Can the chances be trusted?",
        "What the model leans on", "Does anonymization cost one group more?", "town: ash",
    ):  # fmt: skip
        assert words in found.text, words
    bars = [one for one in found.all("svg") if one["class"] == "bars"]
    # every column with numbers or values; days are all missing
    assert len(bars) == 4
    assert all(one["aria-label"] for one in bars)
    text = page(*case)
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))


def test_no_value_of_the_data_stands_in_the_section(case: tuple[Values, Values]) -> None:
    """Towns and counties are cells; only groups that the policy names are named."""
    text = page(*case)
    for value in ("north", "south", "[20, 30)", "[50, 60)", "elm"):
        assert value not in text
        assert value not in json.dumps(case[1]["detail"]["utility"])


def test_a_release_without_the_measures_has_no_section() -> None:
    """Reports of older releases are written as before."""
    assert "Usefulness in detail" not in Page(page(*released())).text


def test_without_a_section_utility_the_cheap_measures_are_shown(tmp_path: Path) -> None:
    """Columns and information loss need no wish; queries and pairs do."""
    found = Page(page(*assessed(tmp_path, None)))
    assert "Columns that changed most" in found.text
    assert "What generalization and suppression cost" in found.text
    assert "Questions of analysts" not in found.text
    assert "k-marginal" not in found.text


def test_bars_are_as_high_as_their_shares() -> None:
    """The highest fills the drawing; what is too rare stands behind a gap; a share of nothing has no bar."""
    drawn = small_bars({"before": [0.5, 0.25], "after": [0.25, 0.0], "few": [0.25, 0.75]}, "a & b")
    heights = [float(one) for one in re.findall(r'height="([\d.]+)" fill', drawn)]
    assert heights == [26.0, 13.0, 13.0, 13.0, 39.0]
    assert "a &amp; b" in drawn
    assert small_bars({"before": [], "after": [], "few": [0.0, 0.0]}, "nothing").count("<rect") == 0


def test_a_browser_draws_the_section_without_labels_on_each_other(
    browser: Callable[..., Any], tmp_path: Path, case: tuple[Values, Values]
) -> None:
    """Measured in the browser, and nothing of it is blocked by the page's own content policy."""
    file = tmp_path / "report.html"
    file.write_text(page(*case), encoding="utf-8")
    shown = browser(file, "--dump-dom")
    assert "CONSOLE" not in shown.stderr
    assert shown.stdout.count('<svg class="bars"') == 4
    text = re.sub(r"<meta http-equiv[^>]*>", "", page(*case)).replace("</body>", f"{MEASURE}</body>")
    file.write_text(text, encoding="utf-8")
    found = re.search(r"<pre>(.*)</pre>", browser(file, "--dump-dom").stdout)
    assert found is not None
    assert found[1].split("|") == [""]
