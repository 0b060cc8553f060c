"""Several tables of one policy in Dagster and on the command line: five assets, one release, columns with their table."""

from pathlib import Path

import dagster as dg
import pytest
import yaml
from typer.testing import CliRunner

from anon_platform.cli import app
from anon_platform.definitions.automation import look
from anon_platform.definitions.datasets import dataset_definitions
from anon_platform.policy import load_any_policy
from anon_platform_tests.pipeline.test_tables_run import policy_of, write

DOCS = Path(__file__).parents[2] / "docs" / "tables.md"


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The keys of the policy."""
    monkeypatch.setenv("ANON_KEY_CODES", bytes(range(32)).hex())
    monkeypatch.setenv("ANON_KEY_SHIFTS", bytes(range(70, 102)).hex())


def test_a_job_releases_all_tables_with_their_checks(tmp_path: Path) -> None:
    """Numbers by table, columns with the table before them, references as a check of their own."""
    definitions = dataset_definitions(write(tmp_path, policy_of()))
    job = definitions.resolve_job_def("hospital_release")
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, raise_on_error=False)
        assert result.success
        events = {
            stage: instance.get_latest_materialization_event(dg.AssetKey(["hospital", stage]))
            for stage in ("raw", "validated")
        }
    metadata = {stage: event.asset_materialization.metadata for stage, event in events.items()}  # type: ignore[union-attr]
    assert metadata["raw"]["rows by table of patients"].value == 90
    assert metadata["validated"]["patients: k"].value >= 3
    columns = metadata["validated"]["dagster/column_schema"].value.columns  # type: ignore[union-attr]
    assert {column.name for column in columns} >= {"patients.age", "visits.day", "findings.visit"}
    passed = {each.check_name: each.passed for each in result.get_asset_check_evaluations()}
    assert passed == dict.fromkeys(
        (
            "k_anonymity",
            "reidentification_risk",
            "differencing",
            "row_accounting",
            "referential_integrity",
            "statistical_fidelity",
        ),
        True,
    )


def test_a_refused_release_of_tables_fails_its_check(tmp_path: Path) -> None:
    """The check that failed says in which table."""
    policy = policy_of(thresholds={"k": 3, "max_risk": 0.34, "suppressed_records": 0.3, "fidelity": 0.03})
    job = dataset_definitions(write(tmp_path, policy)).resolve_job_def("hospital_release")
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, raise_on_error=False)
    assert not result.success
    failed = [each for each in result.get_asset_check_evaluations() if not each.passed]
    assert [each.check_name for each in failed] == ["statistical_fidelity"]
    assert "patients: largest column distance" in failed[0].metadata


def test_a_sensor_watches_the_sources_of_all_tables(tmp_path: Path) -> None:
    """A new file of any of them starts a run."""
    policy = policy_of(watch={"settle_seconds": 1}, schedule={"cron": "0 3 * * 1"})
    file = write(tmp_path, policy)
    definitions = dataset_definitions(file)
    assert definitions.sensors
    assert definitions.schedules
    assert {Path(name).stem for name in look(load_any_policy(file))} == {"patients", "visits", "findings"}


def test_the_command_line_plans_makes_shows_and_verifies_tables(tmp_path: Path) -> None:
    """What a user types."""
    file = write(tmp_path, policy_of())
    runner = CliRunner()
    planned = runner.invoke(app, ["check", str(file)])
    assert planned.exit_code == 0, planned.output
    assert "findings.visit refers to visits.visit" in planned.output
    as_json = runner.invoke(app, ["check", str(file), "--json"])
    assert '"patients"' in as_json.output
    made = runner.invoke(app, ["run", str(file)])
    assert made.exit_code == 0, made.output
    shown = runner.invoke(app, ["show", "hospital"])
    assert "87 of 90 rows, k " in shown.output
    assert "visits.patient" in shown.output


def test_the_policy_of_the_docs_is_sound(tmp_path: Path) -> None:
    """As far as it can be told without its sources."""
    text = DOCS.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    file = tmp_path / "hospital.yaml"
    file.write_text(text, encoding="utf-8")
    policy = load_any_policy(file)
    assert list(policy.parts) == ["patients", "encounters", "conditions"]
    assert yaml.safe_load(text)["dataset"] == policy.dataset
