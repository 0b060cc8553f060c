"""A differentially private policy in Dagster: the budget is looked at before the source is, and nothing exact is shown."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from anon_platform.definitions.datasets import dataset_definitions
from anon_platform.definitions.shown import BUDGET, DP_CHECKS
from anon_platform.ledger import Budget, Ledger
from anon_platform.pipeline import STAGES
from anon_platform.pipeline.dp import stages
from anon_platform.validate.dp import CHECKS
from anon_platform_tests.clinic import visits, write_csv
from anon_platform_tests.private_clinic import SYNTHETIC, make_private_clinic

DATASET = "clinic_numbers"
TIGHT = {"epsilon": 1.0, "delta": 1e-5}


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Dagster with an in-memory storage."""
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def launch(
    file: Path, instance: dg.DagsterInstance, selection: list[str] | None = None
) -> dg.ExecuteInProcessResult:
    """Runs the dataset's job, or only some of its assets, without raising."""
    definitions = dataset_definitions(file)
    job = definitions.resolve_job_def(f"{DATASET}_release" if selection is None else "__ASSET_JOB")
    keys = [dg.AssetKey([DATASET, stage]) for stage in selection] if selection is not None else None
    return job.execute_in_process(instance=instance, raise_on_error=False, asset_selection=keys)


def everything_told(instance: dg.DagsterInstance, run_id: str) -> str:
    """All events of a run, with messages, metadata and errors, as Dagster keeps them."""
    return "\n".join(str(record.event_log_entry) for record in instance.get_records_for_run(run_id).records)


def states() -> list[str]:
    with Ledger.open() as ledger:
        return [each.state for balance in Budget(ledger).balances() for each in balance.releases]


def test_every_measured_check_is_shown_and_the_budget_is_one_of_raw(tmp_path: Path) -> None:
    assert tuple(DP_CHECKS) == CHECKS
    graph = dataset_definitions(make_private_clinic(tmp_path)).resolve_asset_graph()
    keys = [dg.AssetKey([DATASET, stage]) for stage in (*STAGES, "frontier")]
    assert set(graph.get_all_asset_keys()) == set(keys)
    checks = {key.name: key.asset_key.path[-1] for key in graph.asset_check_keys}
    assert checks.pop(BUDGET) == "raw"
    assert set(checks) == set(DP_CHECKS) - {"constraints", "model_quality"}
    assert set(checks.values()) == {"validated"}
    assert all(graph.get(key).blocking for key in graph.asset_check_keys)


@pytest.mark.parametrize("kind", ["statistics", "synthetic"])
def test_a_release_passes_its_checks_and_no_event_tells_a_number_of_rows(
    tmp_path: Path, instance: dg.DagsterInstance, kind: str
) -> None:
    """Neither rows nor people nor names in any event, message or metadata of the run."""
    changes: dict[str, Any] = {"statistics": None, "synthetic": SYNTHETIC} if kind == "synthetic" else {}
    rows = visits(1237)
    file = make_private_clinic(tmp_path, **changes)
    write_csv(tmp_path / "source" / "visits.csv", rows)
    result = launch(file, instance)
    assert result.success
    shown = {found.check_name: found for found in result.get_asset_check_evaluations()}
    assert all(found.passed for found in shown.values())
    assert shown[BUDGET].metadata["ε asked"].value == 1.0
    told = everything_told(instance, result.run_id)
    for number in (
        len(rows),
        1237,
        sum(row[4] == "F" for row in rows),
        sum(row[-1] == "yes" for row in rows),
    ):
        assert not re.search(rf"(?<![\w.-]){number:,}(?![\w.-])|(?<![\w.-]){number}(?![\w.-])", told)
    assert "Name12" not in told


def test_over_the_cap_the_run_ends_before_the_source_is_read(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    caps = {"caps": {"overall": TIGHT, "recipient": TIGHT}}
    assert launch(make_private_clinic(tmp_path, privacy_loss=caps), instance).success
    monkeypatch.setattr(stages, "snapshot", lambda *_a, **_k: pytest.fail("the source was read"))
    result = launch(make_private_clinic(tmp_path, privacy_loss=caps, title="Another"), instance)
    assert not result.success
    (check,) = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed) == (BUDGET, False)
    assert "is left over all recipients" in str(check.metadata["reason"].value)
    assert check.metadata["ε left overall"].value == pytest.approx(0, abs=1e-3)
    assert not result.get_asset_materialization_events()
    failed = next(event for event in result.all_events if event.is_step_failure)
    assert failed.step_failure_data.user_failure_data is not None
    assert str(failed.step_failure_data.user_failure_data.description).startswith(
        "Nothing was read or spent."
    )
    assert states() == ["settled"]


def test_assets_one_by_one_draw_noise_once(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    """Materialized by hand in any order and again: one result, one loss; without the one before it an asset fails."""
    file = make_private_clinic(tmp_path)
    assert not launch(file, instance, ["anonymized"]).success
    for stage in (
        "raw",
        "analyzed",
        "anonymized",
        "raw",
        "anonymized",
        "validated",
        "anonymized",
        "cataloged",
    ):
        assert launch(file, instance, [stage]).success, stage
    assert launch(file, instance).success
    assert states() == ["settled"]


def test_the_trade_off_shows_no_figure_in_dagster(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    result = launch(make_private_clinic(tmp_path), instance, ["frontier"])
    assert result.success
    (event,) = result.get_asset_materialization_events()
    metadata = event.materialization.metadata
    assert metadata["ε tried"].value == 7
    assert {name for name in metadata if not name.startswith("dagster/")} == {"ε tried", "page"}
    assert states() == []
