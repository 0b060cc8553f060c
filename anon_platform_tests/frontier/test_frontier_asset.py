"""The frontier in Dagster and as it is typed: thin skins over the same run."""

import json
import sys
from pathlib import Path

import dagster as dg
import pytest

from anon_platform.cli import Exit, main
from anon_platform.definitions.datasets import dataset_definitions
from anon_platform.errors import PolicyError
from anon_platform.frontier.running import frontier_policy
from anon_platform_tests.clinic import make_clinic
from anon_platform_tests.pipeline.test_tables_run import policy_of
from anon_platform_tests.pipeline.test_tables_run import write as write_policy


def typed(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["anon", "frontier", *map(str, arguments)])
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_the_asset_shows_the_advice_and_no_release_waits_for_it(tmp_path: Path) -> None:
    """In the dataset's group beside the five stages, and in no job of it."""
    definitions = dataset_definitions(make_clinic(tmp_path))
    job = definitions.resolve_job_def("clinic_release")
    assert {key.path[-1] for key in job.asset_layer.executable_asset_keys} == {
        "raw", "analyzed", "anonymized", "validated", "cataloged"
    }  # fmt: skip
    key = dg.AssetKey(["clinic", "frontier"])
    config = {"ops": {"clinic__frontier": {"config": {"jobs": 1, "sample": 200}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def("__ASSET_JOB").execute_in_process(
            instance=instance, asset_selection=[key], run_config=config
        )
        assert result.success
        event = instance.get_latest_materialization_event(key)
    assert event is not None
    metadata = event.asset_materialization.metadata  # type: ignore[union-attr]
    assert metadata["settings"].value == 25
    assert Path(str(metadata["page"].value)).exists()
    assert str(metadata["recommendation"].value).startswith(("Of the settings", "No setting"))


def test_a_dataset_without_quasi_identifiers_has_no_frontier(tmp_path: Path) -> None:
    """Nothing to try, no asset."""
    columns = {
        name: {"role": "direct_identifier", "treat": {"technique": "suppress"}}
        for name in ("age", "sex", "zip", "admitted")
    }
    file = make_clinic(tmp_path, columns=columns, model=None, thresholds={})
    import yaml

    policy = yaml.safe_load(file.read_text())
    policy["thresholds"] = {"l": 2, "fidelity": 0.4}
    file.write_text(yaml.safe_dump(policy))
    graph = dataset_definitions(file).resolve_asset_graph()
    assert dg.AssetKey(["clinic", "frontier"]) not in graph.get_all_asset_keys()


def test_the_command_prints_the_front_and_the_advice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table for people, one JSON value for machines, the same page for both."""
    file = make_clinic(tmp_path)
    asked = ("--k", "3,5", "--suppressed", "0.2", "--jobs", "1", "-o", tmp_path / "out")
    assert typed(monkeypatch, file, *asked) == 0
    shown = capsys.readouterr().out
    assert "recommended" in shown
    assert "Of the settings that meet all thresholds" in shown
    assert (tmp_path / "out" / "frontier.html").exists()
    assert typed(monkeypatch, file, *asked, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [one["setting"]["k"] for one in told["points"]] == [3, 5]
    assert typed(monkeypatch, file, "--k", "five") == Exit.POLICY
    assert "write numbers with commas between" in capsys.readouterr().err
    assert typed(monkeypatch, file, "--cap", "age") == Exit.POLICY


def test_a_policy_over_several_tables_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its tables lose and gain together; a frontier of one of them would promise too much."""
    monkeypatch.setenv("ANON_KEY_CODES", bytes(range(32)).hex())
    monkeypatch.setenv("ANON_KEY_SHIFTS", bytes(range(70, 102)).hex())
    file = write_policy(tmp_path, policy_of())
    with pytest.raises(PolicyError, match="a policy over several tables has no frontier"):
        frontier_policy(file)
