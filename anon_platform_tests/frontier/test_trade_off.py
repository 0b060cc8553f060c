"""The trade-off of ε: nothing is spent, nothing stays, thresholds decide, and pages are written in every case."""

import contextlib
import json
import math
import sys
from pathlib import Path
from typing import Any

import pytest

from anon_platform.cli import main
from anon_platform.errors import PolicyError
from anon_platform.frontier.dp import run_trade_off, write_trade_off
from anon_platform.frontier.dp.writing import recommendation
from anon_platform.ledger import Budget, Ledger
from anon_platform.pipeline.run import sound_dp
from anon_platform_tests.private_clinic import SYNTHETIC, make_private_clinic

TABLE: dict[str, Any] = {"statistics": None, "synthetic": SYNTHETIC}


def spent() -> list[object]:
    with Ledger.open() as ledger:
        return list(Budget(ledger).balances())


def test_statistics_are_tried_without_a_row(tmp_path: Path) -> None:
    """Twice ε, about half the noise; the source may be empty."""
    policy = sound_dp(make_private_clinic(tmp_path))
    source = tmp_path / "source" / "visits.csv"
    source.write_text(source.read_text().splitlines()[0] + "\n")
    found = run_trade_off(policy, [0.5, 1.0, 2.0])
    assert [point.epsilon for point in found.points] == [0.5, 1.0, 2.0]
    widths = [point.half_widths["by_sex"] for point in found.points]
    assert widths[0] > widths[1] > widths[2]
    assert widths[1] / widths[2] == pytest.approx(2, rel=0.1)
    assert found.best is None
    assert "demands no exactness" in recommendation(found)
    assert spent() == []


def test_the_least_epsilon_that_is_exact_enough_is_named(tmp_path: Path) -> None:
    exact = run_trade_off(sound_dp(make_private_clinic(tmp_path))).points
    limit = {point.epsilon: point.half_widths["by_sex"] for point in exact}[0.5]
    file = make_private_clinic(tmp_path, thresholds={"half_width": {"by_sex": limit * 1.001}})
    found = run_trade_off(sound_dp(file))
    assert found.best is not None
    assert found.points[found.best].epsilon == 0.5
    assert recommendation(found).startswith("ε = 0.5 is the least")


def test_an_interval_without_an_end_misses_every_threshold(tmp_path: Path) -> None:
    """At a small ε noise hides a thousand rows: a page is written all the same, and that ε is not advised."""
    caps = {who: {"epsilon": 9.0, "delta": 1e-7} for who in ("overall", "recipient")}
    loss = {"people": 1_000_000, "delta": 1e-7, "epsilon": 8.0, "caps": caps}
    statistics = [{"name": "stay", "measure": "mean", "of": "stay", "by": ["sex"]}]
    file = make_private_clinic(
        tmp_path, statistics=statistics, privacy_loss=loss, thresholds={"half_width": {"stay": 29.0}}
    )
    found = run_trade_off(sound_dp(file), [0.01])
    assert math.isinf(found.points[0].half_widths["stay"])
    assert found.points[0].missed == ("stay",)
    assert found.best == 1
    page, numbers = write_trade_off(found, tmp_path / "frontier")
    assert "stay: no end" in page.read_text()
    assert json.loads(numbers.read_text())["points"][0]["half_widths"] == {"stay": None}


def test_a_table_is_tried_on_people_held_out_and_nothing_stays(tmp_path: Path, anon_home: Path) -> None:
    """With less noise it is nearer to its people. Of the rows nothing is left in staging."""
    policy = sound_dp(make_private_clinic(tmp_path, **TABLE))
    found = run_trade_off(policy, [0.05, 8.0])
    small, _own, large = (point.trial for point in found.points)
    assert small is not None
    assert large is not None
    assert large.pairs < small.pairs
    assert small.floor == large.floor
    assert 0.3 < large.membership.auc[0] < 0.7
    assert spent() == []
    assert not list(anon_home.rglob("*.parquet"))
    again = run_trade_off(policy, [0.05, 8.0])
    assert again.reused == 3
    assert again.points == found.points
    more = run_trade_off(policy, [0.05, 2.0, 4.0, 8.0], jobs=2)
    assert more.reused == 3
    assert all(point.trial for point in more.points)
    assert (more.points[0], more.points[-1]) == (found.points[0], found.points[-1])
    page, numbers = write_trade_off(found, tmp_path / "frontier")
    assert "<svg" in page.read_text()
    assert len(json.loads(numbers.read_text())["points"]) == 3
    assert not (anon_home / "releases").exists()


def test_epsilon_is_above_zero(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="ε is above 0"):
        run_trade_off(sound_dp(make_private_clinic(tmp_path)), [-1.0])


def test_as_it_is_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = make_private_clinic(tmp_path)
    monkeypatch.setattr(sys, "argv", ["anon", "frontier", str(file), "--epsilon", "0.5,2", "--json"])
    with contextlib.suppress(SystemExit):
        main()
    told = json.loads(capsys.readouterr().out)
    assert [point["epsilon"] for point in told["points"]] == [0.5, 1.0, 2.0]
    assert spent() == []
