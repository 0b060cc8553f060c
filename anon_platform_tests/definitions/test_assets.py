"""The Dagster skin: graph, checks, refusal, broken policies; run in process on a temporary instance."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import dagster as dg
import pytest
import yaml

from anon_platform.definitions.datasets import dataset_definitions
from anon_platform.definitions.location import build
from anon_platform.definitions.shown import ATTACKS, CHECKS
from anon_platform.pipeline import STAGES
from anon_platform.policy.regulations import PACKS
from anon_platform.validate.assessment import CHECKS as MEASURED
from anon_platform_tests.clinic import make_clinic

ELSEWHERE = {
    "referential_integrity", "text_deidentification", "text_review", "information_loss", "query_accuracy", *ATTACKS,
}  # fmt: skip
"""Checks of what the clinic has not got: several tables, free text, a demanded review, limits of usefulness, attacks."""

SHIPPED = Path(__file__).parents[2] / "policies"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Dagster with an in-memory storage."""
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def launch(
    file: Path, instance: dg.DagsterInstance, selection: list[str] | None = None
) -> dg.ExecuteInProcessResult:
    """Runs the dataset's job, or only some of its stages, without raising."""
    definitions = dataset_definitions(file)
    name = definitions.resolve_all_job_defs()[0].name if selection is None else "__ASSET_JOB"
    job = definitions.resolve_job_def(name)
    keys = [dg.AssetKey(["clinic", stage]) for stage in selection] if selection is not None else None
    return job.execute_in_process(instance=instance, raise_on_error=False, asset_selection=keys)


def test_five_assets_in_a_row_make_a_group(tmp_path: Path) -> None:
    """The lineage an auditor sees is the pipeline, stage by stage."""
    graph = dataset_definitions(make_clinic(tmp_path)).resolve_asset_graph()
    keys = [dg.AssetKey(["clinic", stage]) for stage in STAGES]
    frontier = dg.AssetKey(["clinic", "frontier"])
    assert set(graph.get_all_asset_keys()) == {*keys, frontier}
    assert graph.get(frontier).parent_keys == {keys[0]}
    for before, after in pairwise(keys):
        assert graph.get(after).parent_keys == {before}
    assert {graph.get(key).group_name for key in keys} == {"clinic"}
    assert {check.name for check in graph.asset_check_keys} == set(CHECKS) - ELSEWHERE
    assert all(graph.get(check).blocking for check in graph.asset_check_keys)


def test_every_measured_check_is_shown() -> None:
    """A check that the validator makes and Dagster hides would be a surprise in the audit."""
    assert tuple(CHECKS) == MEASURED


def test_checks_follow_the_policy(tmp_path: Path) -> None:
    """No model in the policy, no model check in the UI."""
    graph = dataset_definitions(make_clinic(tmp_path, model=None)).resolve_asset_graph()
    assert {check.name for check in graph.asset_check_keys} == set(CHECKS) - ELSEWHERE - {"model_utility"}
    inference = {"known": ["age"], "secrets": ["result"], "attempts": 100, "at_most": 0.5}
    attacked = make_clinic(
        tmp_path, attacks={"seed": 1, "inference": inference, "membership": {"max_auc": 0.9}}
    )
    names = {check.name for check in dataset_definitions(attacked).resolve_asset_graph().asset_check_keys}
    assert names & set(ATTACKS) == {"inference", "membership"}


def test_every_clause_of_a_named_regulation_is_a_check_with_its_citation(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    """An auditor sees clause by clause what held; policies that name no rule have no such checks."""
    file = make_clinic(tmp_path, model=None, regulation="hipaa_safe_harbor", thresholds={"fidelity": 1.0})
    policy = yaml.safe_load(file.read_text())
    del policy["thresholds"]["model_loss"]
    file.write_text(yaml.safe_dump(policy))
    graph = dataset_definitions(file).resolve_asset_graph()
    clauses = {key.name: graph.get(key) for key in graph.asset_check_keys if key.name.startswith("hipaa_")}
    assert len(clauses) == 19
    names = clauses["hipaa_safe_harbor_A_names"]
    assert names.description == "Names (45 CFR 164.514(b)(2)(i)(A))."
    assert names.blocking
    result = launch(file, instance)
    shown = {found.check_name: found for found in result.get_asset_check_evaluations()}
    assert set(clauses) <= set(shown)
    dates = shown["hipaa_safe_harbor_C_dates_and_ages"]
    assert dates.passed == result.success
    assert dates.metadata["citation"].value == "45 CFR 164.514(b)(2)(i)(C)"
    assert str(dates.metadata["looked at"].value).startswith("name and values of 8 released columns")
    knowledge = shown["hipaa_safe_harbor_ii_actual_knowledge"]
    assert knowledge.passed
    assert knowledge.metadata["verdict"].value == "needs a human"


def test_every_clause_of_all_packs_is_a_check_of_its_own(tmp_path: Path) -> None:
    """A policy may name every pack; Dagster refuses names that stand twice, or with a full stop."""
    names = [pack.name for pack in PACKS]
    graph = dataset_definitions(make_clinic(tmp_path, regulation=names)).resolve_asset_graph()
    found = {key.name for key in graph.asset_check_keys}
    assert {pack.check(clause) for pack in PACKS for clause in pack.clauses} <= found
    assert {"ccpa_deidentified_m_1_reasonable_measures", "gdpr_wp29_1_singling_out"} <= found


def test_a_job_makes_a_release_and_shows_its_numbers(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    """Counts and metrics only; the row count is where Dagster plots it."""
    result = launch(make_clinic(tmp_path), instance)
    assert result.success
    event = instance.get_latest_materialization_event(dg.AssetKey(["clinic", "validated"]))
    assert event is not None
    metadata = event.asset_materialization.metadata  # type: ignore[union-attr]
    assert metadata["k"].value >= 3
    assert Path(str(metadata["report"].value)).exists()
    evaluations = result.get_asset_check_evaluations()
    assert {evaluation.check_name for evaluation in evaluations} == set(CHECKS) - ELSEWHERE
    assert all(evaluation.passed for evaluation in evaluations)


def test_a_refused_release_fails_with_its_checks_and_is_not_retried(
    tmp_path: Path, instance: dg.DagsterInstance, anon_home: Path
) -> None:
    """The failing check is visible, downstream did not run, no data is there, and no retry is asked for."""
    result = launch(make_clinic(tmp_path, thresholds={"fidelity": 0.0}), instance)
    assert not result.success
    failed = {
        evaluation.check_name for evaluation in result.get_asset_check_evaluations() if not evaluation.passed
    }
    assert failed == {"statistical_fidelity"}
    assert instance.get_latest_materialization_event(dg.AssetKey(["clinic", "cataloged"])) is None
    failure = next(event for event in result.all_node_events if event.is_step_failure)
    assert "Release refused, no data left. largest column distance" in str(
        failure.step_failure_data.user_failure_data
    )
    assert not any(event.is_step_up_for_retry for event in result.all_events)
    assert not (anon_home / "releases").exists()


@pytest.mark.parametrize(
    "selection", [["cataloged"], ["validated", "cataloged"], ["anonymized", "validated", "cataloged"]]
)
def test_no_selection_publishes_a_refused_release(
    tmp_path: Path, instance: dg.DagsterInstance, anon_home: Path, selection: list[str]
) -> None:
    """Dagster's blocking checks hold within one run only; ours hold for ever."""
    file = make_clinic(tmp_path, thresholds={"fidelity": 0.0})
    assert not launch(file, instance).success
    assert not launch(file, instance, selection).success
    assert not (anon_home / "releases").exists()


def test_stages_launched_one_by_one_make_the_release(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    """As a user does who clicks each asset in the UI."""
    file = make_clinic(tmp_path)
    for stage in STAGES:
        assert launch(file, instance, [stage]).success


def test_a_broken_policy_shows_and_leaves_the_others_alone(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One typo must not take down the weekly release of another department."""
    make_clinic(tmp_path)
    broken = make_clinic(tmp_path, name="broken")
    broken.write_text(broken.read_text().replace("k: 3", "k: five"))
    monkeypatch.setenv("ANON_POLICIES", str(tmp_path))
    definitions = build()
    graph = definitions.resolve_asset_graph()
    assert dg.AssetKey(["clinic", "cataloged"]) in graph.get_all_asset_keys()
    assert "thresholds.k: write a whole number" in str(graph.get(dg.AssetKey(["broken", "raw"])).description)
    job = definitions.resolve_job_def("__ASSET_JOB")
    result = job.execute_in_process(
        instance=instance, raise_on_error=False, asset_selection=[dg.AssetKey(["broken", "raw"])]
    )
    assert not result.success
    check = next(key for key in graph.asset_check_keys if key.asset_key == dg.AssetKey(["broken", "raw"]))
    alone = job.get_subset(asset_check_selection={check})  # as a click on the check does
    evaluation = alone.execute_in_process(
        instance=instance, raise_on_error=False
    ).get_asset_check_evaluations()[0]
    assert not evaluation.passed
    assert "thresholds.k" in str(evaluation.metadata["faults"].value)


def test_the_shipped_policies_give_a_schedule_and_a_sensor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weekly, from the policy; and for new files."""
    monkeypatch.setenv("ANON_POLICIES", str(SHIPPED))
    definitions = build()
    schedule = definitions.resolve_schedule_def("hospital_encounters_schedule")
    policy = yaml.safe_load((SHIPPED / "hospital_encounters.yaml").read_text())
    assert schedule.cron_schedule == policy["schedule"]["cron"] == "0 3 * * 1"
    assert (
        definitions.resolve_sensor_def("hospital_encounters_new_source_data").minimum_interval_seconds == 10
    )
