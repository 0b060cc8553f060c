"""The report on attacks: what was known, what was found before and after, and never a small count."""

import copy
import re
from typing import Any

from anon_platform.pipeline.releasing import without_small_counts
from anon_platform.publish.attacks.section import attacks_of
from anon_platform.publish.report import page
from anon_platform.publish.wording import Counts
from anon_platform_tests.publish.releases import Values, released


def share(successes: int, n: int, high: float) -> dict[str, Any]:
    """A share as an assessment has it."""
    return {"successes": successes, "n": n, "value": successes / n if n else 0.0, "low": 0.0, "high": high}


def way(name: str, right: int, claims: int) -> dict[str, Any]:
    """What one way of matching found of 1,000 people, 400 of whom are in the source."""
    return {
        "way": name, "attacked": 1000, "matched": 600, "claims": claims, "certain": share(right, 1000, 0.4),
        "precision": share(right, claims, 1.0), "recall": share(right, 400, 0.93), "picked": 0.31, "chance": 0.0001,
    }  # fmt: skip


def attacked(right_after: int = 0) -> tuple[Values, Values]:
    """A release on which every attack was tried."""
    manifest, assessment = released()
    risk = {
        "main": share(200, 1000, 0.23),
        "control": share(150, 1000, 0.18),
        "value": 0.06,
        "low": 0.02,
        "high": 0.1,
    }
    people = {"at_most": 0.2, "attempts": 1000, "control": "control people"}
    assessment["detail"]["attacks"] = {
        "confidence": 0.95,
        "linkage": [
            {
                "name": "voter <list>", "columns": ["age", "zip"], "columns_before": ["born", "zip"], "people": 5000,
                "truth": True, "max_certain": 0.01, "max_recall": 0.02,
                "before": [way("exact", 350, 352), way("probabilistic", 371, 380)],
                "after": [way(name, right_after, right_after) for name in ("exact", "generalization-aware", "probabilistic")],
            }
        ],
        "singling_out": {**people, "columns": ["age", "zip"], "together": 2, "risks": {"singling out": risk}},
        "linkability": {**people, "one": ["age"], "other": ["zip"], "risks": {"linkability": risk}},
        "inference": {
            **people, "control": "blind guesses", "known": ["age"], "secrets": ["diagnosis"],
            "risks": {"inference of diagnosis": risk},
        },
        "membership": {
            "members": 900, "others": 900, "auc": [0.53, 0.51, 0.55], "caught": share(12, 900, 0.02),
            "advantage": [0.02, 0.0, 0.04], "max_auc": 0.6, "trained_on": 3000,
        },
    }  # fmt: skip
    names = ("check", "name", "value", "threshold", "unit")
    metrics = [
        ("linkage", "certain re-identification by voter <list>", 0.004, 0.01, "share of people in the file"),
        ("linkage", "recall of voter <list>", 0.03, 0.02, "share of the file's people who are in the source"),
        ("singling_out", "singling out", 0.1, 0.2, "probability"),
        ("linkability", "linkability", 0.1, 0.2, "probability"),
        ("inference", "inference of diagnosis", 0.1, 0.2, "probability"),
        ("membership", "membership attack on the model", 0.55, 0.6, "area under the curve, 0.5 is a coin"),
    ]
    manifest["metrics"] += [
        dict(zip(names, metric, strict=True))
        | {"at_least": False, "passed": metric[2] <= metric[3], "note": "upper end"}
        for metric in metrics
    ]
    return manifest, assessment


def text_of(html: str) -> str:
    """What a reader sees, spaces as spaces."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).replace("\N{NO-BREAK SPACE}", " ")


def test_every_attack_is_told_with_what_was_known_found_and_allowed() -> None:
    """Before beside after, with intervals, the baseline, the threshold and the verdict."""
    html = page(*attacked())
    text = text_of(html)
    for told in (
        "Attacks tried",
        "Linkage with the voter &lt;list&gt;",
        "a file of 5,000 people, of whom 1,000 were drawn at random",
        "On the raw data the same attacker compares born and zip",
        "87.5 % (0.0 % to 93.0 %)",
        "at most 2.00 %",
        "Singling out",
        "up to 2 of them in a predicate",
        "One part: age; the other: zip.",
        "(main − control) / (1 − control)",
        "guesses the commonest value",
        "6.0 % (2.0 % to 10.0 %)",
        "released rows of 3,000 patients",
        "0.530 (0.510 to 0.550)",
    ):
        assert told in text, told
    section = html[html.index('id="attacks"') : html.index('id="attacker"')]
    assert section.count('<svg class="plot"') == 5
    assert section.count(">missed<") == 1
    assert "<list>" not in html


def test_a_count_of_a_few_people_is_shown_as_below_k() -> None:
    """Three people found are three people at risk; the plot shows the interval alone."""
    manifest, assessment = attacked(right_after=3)
    linkage = attacks_of(manifest, assessment, Counts(5))[0]
    after = [each for each in linkage.ways if each.side == "release"]
    assert {(each.claims, each.right) for each in after} == {("<\N{NO-BREAK SPACE}5", "<\N{NO-BREAK SPACE}5")}
    assert all(each.recall.startswith("at most") for each in after)
    assert "0.8" not in "".join(each.recall + each.precision for each in after)
    # the same of an assessment whose small counts were taken out
    detail = without_small_counts(assessment["detail"]["attacks"], 5)
    assert detail["linkage"][0]["after"][0]["certain"]["successes"] is None
    assert detail["linkage"][0]["after"][0]["recall"]["value"] is None
    assert detail["linkage"][0]["after"][0]["precision"] is None
    assert attacks_of(manifest, {"detail": {"attacks": detail}}, Counts(5))[0] == linkage


def test_what_could_not_be_run_is_said() -> None:
    """A missing attack must not look like one that found nothing."""
    manifest, assessment = attacked()
    assessment["detail"]["attacks"]["linkage"] = [{"name": "voter <list>"}]
    assessment["detail"]["attacks"]["membership"] = "fewer than 50 people on a side"
    told = attacks_of(manifest, assessment, Counts(5))
    assert told[0].known == ("The attack could not be run, so the release is refused.",)
    assert told[-1].known == ("The attack could not be run: fewer than 50 people on a side.",)
    assert "Attacks tried" not in page(*released())


def test_without_truth_nobody_says_what_is_right() -> None:
    """Claims are counted, and all of them count."""
    manifest, assessment = attacked()
    linkage = copy.deepcopy(assessment["detail"]["attacks"]["linkage"][0])
    linkage |= {"truth": False, "max_recall": None}
    for side in ("before", "after"):
        for each in linkage[side]:
            each |= {"precision": None, "recall": None}
    assessment["detail"]["attacks"]["linkage"] = [linkage]
    html = text_of(page(manifest, assessment))
    assert "nobody can say which claims are right: all count" in html
    assert "Precision" not in html
