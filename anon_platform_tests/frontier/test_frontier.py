"""Settings around a policy: the points are those of releases, the front is the front, the advice can be checked."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from anon_platform.errors import PolicyError
from anon_platform.frontier import (
    Point,
    Setting,
    advice,
    pareto_front,
    run_frontier,
    sweep_of,
    write_frontier,
)
from anon_platform.frontier.point import judged
from anon_platform.frontier.running import frontier_of, frontier_policy
from anon_platform.frontier.writing import recommendation
from anon_platform.pipeline import run
from anon_platform.pipeline.staging import exclusive
from anon_platform.policy import load_policy
from anon_platform_tests.clinic import make_clinic


def beats(a: tuple[int, int], b: tuple[int, int]) -> bool:
    return a[0] <= b[0] and a[1] <= b[1] and a != b


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=14))
def test_the_front_is_what_no_point_beats(points: Sequence[tuple[int, int]]) -> None:
    """Every pair compared: nothing on the front is beaten, and what is not there is, or is there already."""
    front = pareto_front([a for a, _ in points], [b for _, b in points])
    on_it = [points[i] for i in front]
    assert on_it == sorted({one for one in points if not any(beats(other, one) for other in points)})


def point(
    loss: float, missed: tuple[str, ...] = (), suppressed: float = 0.0, reason: str | None = None
) -> Point:
    setting = Setting(k=2, l=None, t=None, suppressed_records=0.1)
    return Point(setting=setting, information_loss=loss, missed=missed, suppressed=suppressed, reason=reason)


def test_the_advice_is_the_least_loss_that_meets_all_or_what_is_in_the_way() -> None:
    """A setting that loses less and misses a threshold is no advice; without any, the fewest thresholds are named."""
    points = [
        point(0.1, ("k",)),
        point(0.3),
        point(0.2, suppressed=0.2),
        point(0.2, suppressed=0.1),
        point(0.0, reason="no"),
    ]
    assert advice(points).best == 3
    assert advice([point(0.1), point(0.1)], own=1).best == 1, "nothing is gained by a change"
    none = advice(
        [
            point(0.1, ("k", "fidelity")),
            point(0.2, ("max_risk",)),
            point(0.3, ("k",)),
            point(0.0, reason="no"),
        ]
    )
    assert (none.best, none.in_the_way) == (None, (("k",), ("max_risk",)))
    assert advice([point(0.1, ("k", "t"))]).in_the_way == (("k", "t"),)
    assert advice([point(0.0, reason="no")]) == advice([])


@pytest.fixture
def clinic(tmp_path: Path) -> Path:
    return make_clinic(tmp_path)


def measured(file: Path, **asked: Any) -> Any:
    policy = frontier_policy(file)
    coarsest = asked.pop("coarsest", {})
    settings = {name: asked.pop(name) for name in ("jobs", "sample", "model_people") if name in asked}
    return run_frontier(policy, sweep_of(policy, asked, coarsest), **{"jobs": 1, **settings})


def test_the_policy_s_point_is_what_its_release_is_measured_to_be(clinic: Path) -> None:
    """Measured on counts without writing a row, and measured on the released bytes: the same numbers."""
    found = measured(clinic, k=(3, 8), suppressed_records=(0.0, 0.2), model_people=10_000)
    own = found.points[found.own]
    outcome = run(clinic)
    metrics = {metric.name: metric.value for metric in outcome.validated.assessment.metrics}
    assert own.k == metrics["k"]
    assert own.max_risk == pytest.approx(metrics["maximum risk"], abs=1e-9)
    assert own.mean_risk == pytest.approx(metrics["mean risk"], abs=1e-9)
    assert own.suppressed == pytest.approx(metrics["suppressed records"], abs=1e-9)
    assert own.information_loss == pytest.approx(metrics["information loss"], abs=1e-9)
    assert own.distance == pytest.approx(metrics["largest column distance"], abs=1e-9)
    assert own.model_loss == pytest.approx(metrics["model loss"], abs=1e-9)
    assert own.l["diagnosis"] == metrics["l of diagnosis"]
    assert own.t["result"] == pytest.approx(metrics["t of result"], abs=1e-9)
    assert own.missed == ()
    # a setting that looks for k = 8 keeps it
    assert all(one.k >= one.setting.k for one in found.points if one.reason is None)
    assert {one.setting.k for one in found.points} == {3, 8}


def test_points_are_kept_without_a_value_and_found_again(
    clinic: Path, anon_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second run reads no row; other rows or another policy are other points. No staging is left."""
    first = measured(clinic, k=(3, 5), suppressed_records=(0.2,))
    again = measured(clinic, k=(3, 5), suppressed_records=(0.2,))
    assert (first.reused, again.reused) == (0, 2)
    assert again.points == first.points
    kept = [file.read_text() for file in (anon_home / "frontier" / "clinic" / "points").iterdir()]
    assert len(kept) == 2
    assert not any(value in text for text in kept for value in ("flu", "burn", "60614", "P0001", "[20, 40)"))
    assert not (anon_home / "staging" / "clinic__frontier" / "rows").exists()
    source = clinic.parent / "source" / "visits.csv"
    source.write_text("\n".join(source.read_text().splitlines()[:-3]) + "\n")
    assert measured(clinic, k=(3, 5), suppressed_records=(0.2,)).reused == 0
    stricter = make_clinic(clinic.parent / "b", thresholds={"max_risk": 0.1})
    judged_anew = measured(stricter, k=(3,), suppressed_records=(0.2,))
    assert "max_risk" in judged_anew.points[0].missed


def test_processes_give_what_one_gives(clinic: Path, anon_home: Path) -> None:
    """Two processes, each with rows of its own; a release of the same dataset may go on meanwhile."""
    with exclusive("clinic"):
        alone = measured(clinic, k=(3, 5), suppressed_records=(0.1,))
        for file in (anon_home / "frontier" / "clinic" / "points").iterdir():
            file.unlink()
        both = measured(clinic, k=(3, 5), suppressed_records=(0.1,), jobs=2)
    assert both.points == alone.points


def test_local_recoding_caps_and_samples_have_a_frontier_too(tmp_path: Path) -> None:
    """Classes of their own instead of levels; a coarsest level is kept; on a sample it is about fewer people."""
    local = make_clinic(tmp_path / "l", name="local", recoding={"model": "local", "effort": "fast"})
    found = measured(local, k=(3,), suppressed_records=(0.2,))
    assert found.points[found.own].reason is None
    assert (found.points[found.own].levels, found.points[found.own].k >= 3) == ({}, True)
    capped = make_clinic(tmp_path / "c")
    tried = measured(capped, k=(3,), suppressed_records=(0.2,), coarsest={"age": ["20"]}, sample=150)
    assert len(tried.points) == 2 * 1 * 1
    one = next(each for each in tried.points if each.setting.coarsest == {"age": "20"})
    assert one.reason is not None or one.levels["age"] in {"5", "10", "20"}


def test_what_cannot_be_tried_is_refused_with_a_way_out(clinic: Path) -> None:
    """Before a row is read."""
    policy = load_policy(clinic)
    with pytest.raises(
        PolicyError, match="--cap: stay is no quasi-identifier that leaves; these are age, sex, zip, admitted"
    ):
        sweep_of(policy, {}, {"stay": ["5"]})
    with pytest.raises(PolicyError, match="--cap: age has no level 7; its levels are 5, 10, 20, 40"):
        sweep_of(policy, {}, {"age": ["7"]})
    with pytest.raises(PolicyError, match="settings are more than 1,000; try fewer values of a dimension"):
        sweep_of(policy, {"k": tuple(range(2, 300)), "suppressed_records": (0.0, 0.1, 0.2, 0.3)}, {})
    document = yaml.safe_load(clinic.read_text())
    document["columns"] = {n: c for n, c in document["columns"].items() if c["role"] != "quasi_identifier"}
    plain = clinic.parent / "plain.yaml"
    document["thresholds"] = {"l": 2, "fidelity": 0.4}
    document.pop("model")
    plain.write_text(yaml.safe_dump(document))
    with pytest.raises(
        PolicyError, match="the frontier is about k and quasi-identifiers that leave; the policy has none"
    ):
        sweep_of(load_policy(plain), {}, {})


def test_thresholds_are_judged_by_the_mode_of_the_policy(clinic: Path) -> None:
    """For training a model a column that moved too far is no reason against a setting."""
    policy = load_policy(clinic)
    setting = Setting(k=3, l=2, t=None, suppressed_records=0.2)
    moved = Point(setting=setting, k=3, l={"diagnosis": 2}, max_risk=1 / 3, distance=0.9, model_loss=2.0)
    assert judged(moved, policy).missed == ("fidelity", "model_loss")
    utility = {"mode": "model_training"}
    for_models = load_policy(make_clinic(clinic.parent / "m", utility=utility))
    assert judged(moved, for_models).missed == ("model_loss",)


def test_page_and_json_say_what_was_found(clinic: Path, tmp_path: Path) -> None:
    """The page is complete in itself; where nothing meets the thresholds it says which is in the way."""
    found = measured(clinic, k=(3, 8), suppressed_records=(0.0, 0.2))
    page, numbers = write_frontier(found, tmp_path / "out")
    text = page.read_text()
    assert text.count('<svg class="plot"') == 2
    assert 'http-equiv="Content-Security-Policy"' in text
    assert "the policy" in text
    assert "recommended" in text
    told = json.loads(numbers.read_text())
    assert told["points"][told["policy"]]["setting"]["k"] == 3
    assert told["recommended"] == found.advice.best
    assert recommendation(found).startswith("Of the settings that meet all thresholds")
    wished = found.policy.thresholds.model_copy(update={"fidelity": 0.0})
    strict = found.policy.model_copy(update={"thresholds": wished})
    impossible = frontier_of(strict, [p for p in found.points if p.suppressed], 0, None, None)
    assert recommendation(impossible) == (
        "No setting that was tried meets all thresholds; without column distance one would."
    )
    page, _ = write_frontier(impossible, tmp_path / "none")
    assert "Nothing meets the thresholds" in page.read_text()
