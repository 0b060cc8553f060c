"""Steps that fit themselves to counts or change values by chance, from policy to release."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from anon_platform.errors import PolicyError
from anon_platform.pipeline import analyzed, anonymized, plan, raw, run
from anon_platform.pipeline.releasing import evidence_of
from anon_platform.pipeline.staging import Work, current
from anon_platform.pipeline.treatments import (
    as_left,
    hierarchies_for,
    in_turn,
    people_by_value,
    perturbed_columns,
    steps_before_search,
    treated_counts,
    with_levels,
)
from anon_platform.policy import FaultyPolicyError, Policy, load_policy
from anon_platform.table import PERSON, ROW, DuckDBTable, PolarsTable
from anon_platform.validate import assess
from anon_platform.validate.accounting import account
from anon_platform.validate.utility.columns import measure_fidelity
from anon_platform_tests.clinic import POLICY, make_clinic

GENERALIZE = {"technique": "generalize"}
PRAM = {"technique": "pram", "retain": 0.6, "invariant": True}
SWAP = {"technique": "rank_swap", "percent": 10.0}
CHANGED = {
    "age": {
        "role": "quasi_identifier",
        "type": "integer",
        "treat": {
            **GENERALIZE,
            "hierarchy": {"kind": "intervals", "optimal": {"least": 10, "levels": 3}},
        },
    },
    "zip": {
        "role": "quasi_identifier",
        "treat": {**GENERALIZE, "hierarchy": {"kind": "inferred", "least": 10, "levels": 2}},
    },
    "diagnosis": {"role": "sensitive", "treat": PRAM},
    "result": {"role": "insensitive", "treat": {**PRAM, "retain": 0.2, "invariant": False}},
    "stay": {"role": "insensitive", "type": "integer", "treat": SWAP},
}


def columns(**changes: Any) -> dict[str, Any]:
    """The columns of the clinic, some treated otherwise."""
    return {**yaml.safe_load(POLICY)["columns"], **changes}


@pytest.fixture
def clinic(tmp_path: Path) -> Path:
    """A clinic whose columns are fitted to counts and changed by chance."""
    return make_clinic(tmp_path, columns=columns(**CHANGED))


def staged(file: Path) -> tuple[Policy, Work]:
    """The policy and the work of a source that was copied."""
    raw(file)
    policy = load_policy(file)
    return policy, current(policy.dataset, policy.hash)


def test_a_release_may_hold_what_was_changed_by_chance(clinic: Path) -> None:
    """Accounting is exact, l is counted on what leaves, and the numbers of a swapped column stay."""
    outcome = run(clinic)
    assert outcome.released
    release = Path(outcome.validated.path)
    rows = pl.concat(pl.read_parquet(file) for file in sorted(release.glob("data/*.parquet")))
    source = pl.read_csv(
        clinic.parent / "source" / "visits.csv", null_values=["", "?"], infer_schema_length=None
    )
    assert rows["result"].null_count() == source["result"].null_count()
    assert rows["stay"].sort().to_list() == source["stay"].sort().to_list()
    smallest = rows.group_by("age", "sex", "zip", "admitted").agg(pl.col("diagnosis").n_unique())
    assert int(smallest["diagnosis"].min()) >= 2  # type: ignore[arg-type]
    manifest = json.loads((release / "manifest.json").read_text())
    assert manifest["levels"]["age"] in ("level 1", "level 2", "level 3", "*")
    assert list(manifest["stages"]["anonymized"]["inferred"]) == ["zip"]
    assert "frequent values alone" in manifest["stages"]["anonymized"]["inferred"]["zip"]


def test_chance_is_the_same_for_every_batch_engine_and_process(clinic: Path) -> None:
    """The validator recomputes the draws; a retry finds the same release."""
    policy, work = staged(clinic)
    assert perturbed_columns(policy) == {"diagnosis", "result", "stay"}
    files = work.snapshot(policy.engine).files  # type: ignore[attr-defined]
    whole = pl.concat(as_left(policy, PolarsTable(files)).batches())
    assert whole["diagnosis"].to_list() != pl.concat(PolarsTable(files).batches())["diagnosis"].to_list()
    for table in (PolarsTable(files, batch=7), PolarsTable(files, batch=1000), DuckDBTable(files, batch=50)):
        assert pl.concat(as_left(policy, table).batches()).equals(whole)
        before = steps_before_search(policy, table)
        counts = treated_counts(as_left(policy, table), ["diagnosis"], before, [])
        assert dict(counts.iter_rows()) == dict(whole.group_by("diagnosis").agg(n=pl.len()).iter_rows())
    again = pl.concat(as_left(policy.model_copy(update={"dataset": "other"}), PolarsTable(files)).batches())
    assert not again["diagnosis"].equals(whole["diagnosis"])


def test_the_levels_of_counted_hierarchies_are_the_same_in_search_and_rows(clinic: Path) -> None:
    """The search counts them on combinations, the rows on one column; a later process counts again."""
    policy, work = staged(clinic)
    table = work.snapshot(policy.engine)
    before = steps_before_search(policy, table)
    counts = treated_counts(table, policy.quasi_identifiers, before, [PERSON])
    found = hierarchies_for(policy, counts)
    ages = table.counts(["age"])["age"]
    treat = with_levels(
        table, policy, {"age": "level 2", "zip": "level 1", "sex": "value", "admitted": "year"}
    )
    assert treat["age"](ages).to_list() == found["age"].labels(ages)[1].to_list()
    places = table.counts(["zip"])["zip"]
    assert treat["zip"](places).to_list() == found["zip"].labels(places)[0].to_list()


def test_a_perturbed_value_that_is_not_what_its_draw_made_is_found(clinic: Path) -> None:
    """Also in a column that is neither quasi-identifier nor sensitive: chance is no excuse."""
    policy, work = staged(clinic)
    analyzed(clinic)
    anonymized(clinic)
    evidence = evidence_of(policy, work)
    assert account(evidence).faults == ()
    for column in ("diagnosis", "result", "stay"):
        original = replace(evidence, perturbed=evidence.perturbed - {column}, as_left=evidence.source)
        assert account(original).faults == ("a released row does not say what its source row says",)
    file = next(evidence.data.glob("*.parquet"))
    rows = pl.read_parquet(file)
    rows.with_columns(pl.col("stay").shift(1, fill_value=3)).write_parquet(file)
    assert account(evidence).faults == (
        "a released row does not say what its source row says",
        "the CSV and the Parquet files do not say the same",
    )


def test_fidelity_compares_with_the_original_and_not_with_chance(clinic: Path) -> None:
    """A column that hardly keeps a value must look like one; invariant PRAM and swapping move little."""
    policy, work = staged(clinic)
    analyzed(clinic)
    anonymized(clinic)
    evidence = evidence_of(policy, work)
    source, left = (
        pl.concat(table.batches())["result"].value_counts(normalize=True)
        for table in (evidence.source, evidence.as_left or evidence.source)
    )
    both = source.join(left, on="result", how="full", nulls_equal=True, coalesce=True).fill_null(0.0)
    moved = float((both["proportion"] - both["proportion_right"]).abs().sum()) / 2
    distances = {column.name: column.distance for column in measure_fidelity(evidence)}
    assert distances["result"] == pytest.approx(moved, abs=0.02)
    assert distances["stay"] == pytest.approx(0, abs=0.02)
    assert assess(evidence).detail["accounting"]["faults"] == ()


def test_microaggregated_columns_hold_k_people_a_value(tmp_path: Path) -> None:
    """As a quasi-identifier before the search, and as a column that is released as it is."""
    step = {"technique": "microaggregate", "k": 4, "replace_by": "median"}
    flat = {**GENERALIZE, "hierarchy": {"kind": "flat"}}
    age = {"role": "quasi_identifier", "type": "integer", "treat": [step, flat]}
    stay = {"role": "insensitive", "type": "integer", "treat": {**step, "replace_by": "mean"}}
    file = make_clinic(tmp_path, columns=columns(age=age, stay=stay), model=None)
    policy, work = staged(file)
    table = work.snapshot(policy.engine)
    assert as_left(policy, table) is table
    before = steps_before_search(policy, table)
    for name in ("age", "stay"):
        people = treated_counts(table, [name], before, [PERSON]).group_by(name).agg(pl.col(PERSON).n_unique())
        assert int(people[PERSON].min()) >= 4  # type: ignore[arg-type]
        assert people.height > 5
    assert run(file).validated.assessment is not None


def test_a_step_that_is_fixed_uses_a_counted_hierarchy(tmp_path: Path) -> None:
    """The cuts are those of the whole column, whatever batch a row is in; steps before it are counted."""
    hierarchy = {"kind": "intervals", "optimal": {"least": 20, "levels": 2}}
    steps = [
        {"technique": "top_bottom_code", "top": 10},
        {**GENERALIZE, "hierarchy": hierarchy, "level": "level 2"},
    ]
    stay = {"role": "sensitive", "type": "integer", "treat": steps}
    policy, work = staged(make_clinic(tmp_path, columns=columns(stay=stay), model=None))
    table = work.snapshot(policy.engine)
    treat = steps_before_search(policy, table)["stay"]
    stays = pl.concat(table.batches())["stay"]
    found = treat(stays)
    assert [label for value in stays for label in treat(pl.Series("stay", [value]))] == found.to_list()
    assert treat(pl.Series("stay", [10, 14])).n_unique() == 1
    assert 2 <= found.n_unique() <= 7


def test_people_count_once() -> None:
    """Who has several values is counted at the least of them; a null is a value."""
    pairs = pl.DataFrame(
        {"value": [1, 2, 2, None, None], PERSON: [0, 0, 1, 1, 2], "n": [3, 1, 2, 1, 5]},
        schema={"value": pl.Int64, PERSON: pl.UInt32, "n": pl.UInt32},
    )
    assert people_by_value(pairs).sort("value").rows() == [(None, 6, 1), (1, 3, 1), (2, 3, 1)]
    assert people_by_value(pairs.clear()).rows() == []


def test_steps_that_cannot_be_counted_are_refused(tmp_path: Path) -> None:
    """A population has no rows of ours, and no counts of ours."""
    policy = load_policy(make_clinic(tmp_path, columns=columns(**CHANGED)))
    with pytest.raises(PolicyError, match="column stay: rank_swap treats rows, not values"):
        in_turn(policy.columns["stay"].treat, "stay", pl.Int64())
    step = {"technique": "microaggregate", "k": 4, "replace_by": "mean"}
    again = load_policy(
        make_clinic(tmp_path, columns=columns(stay={"role": "insensitive", "type": "integer", "treat": step}))
    )
    with pytest.raises(PolicyError, match="column stay: a step needs the counts of the column"):
        in_turn(again.columns["stay"].treat, "stay", pl.Int64())


AGGREGATE = {"technique": "microaggregate", "k": 2, "replace_by": "mean"}
FLAT = {**GENERALIZE, "hierarchy": {"kind": "flat"}}


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (
            {"role": "quasi_identifier", "type": "integer", "treat": [SWAP, FLAT]},
            "columns.stay.treat[0]: rank_swap changes values by chance, which k does not count on; it is for",
        ),
        (
            {"role": "insensitive", "type": "integer", "treat": [PRAM, SWAP]},
            "columns.stay.treat[1]: a column is changed by chance once; keep one of pram, rank_swap, noise and shift_dates",
        ),
        (
            {"role": "insensitive", "type": "integer", "treat": [SWAP, AGGREGATE]},
            "columns.stay.treat[1]: this step needs the counts of the column, so it comes before pram, rank_swap, noise and shift_dates",
        ),
        (
            {"role": "quasi_identifier", "type": "integer", "treat": [AGGREGATE, FLAT]},
            "columns.stay.treat[0].k: groups below thresholds.k would be joined or suppressed; write k: 3 or more",
        ),
        (
            {
                "role": "sensitive",
                "treat": {**GENERALIZE, "hierarchy": {"kind": "inferred", "least": 2, "levels": 1}},
            },
            "an inferred hierarchy is searched, so it is for quasi-identifiers; write the hierarchy",
        ),
    ],
)
def test_a_policy_that_misplaces_a_step_is_told(tmp_path: Path, column: dict[str, Any], message: str) -> None:
    """With the place and the way out."""
    file = make_clinic(tmp_path, columns=columns(stay=column), model=None)
    with pytest.raises(FaultyPolicyError) as fault:
        load_policy(file)
    assert message in str(fault.value)


def test_rows_come_in_order(clinic: Path) -> None:
    """Ranks and draws go by position."""
    policy, work = staged(clinic)
    rows = pl.concat(work.snapshot(policy.engine).batches([ROW]))[ROW]
    assert rows.to_list() == list(range(len(rows)))


def test_the_plan_tells_what_is_read_by_itself_and_no_category(tmp_path: Path) -> None:
    """A transition matrix names values of its column; a plan stands in the manifest."""
    matrix = {"high": {"high": 0.9, "low": 0.1}, "low": {"low": 1.0}}
    treat = {"technique": "pram", "matrix": matrix, "invariant": False}
    changed = columns(result={"role": "sensitive", "treat": treat})
    planned = plan(make_clinic(tmp_path, columns=changed))
    assert "read result, each by itself, for steps that need the whole column" in planned.passes
    (result,) = (column for column in planned.columns if column.name == "result")
    assert result.treatment == "pram (matrix of 2, invariant False)"
    (tmp_path / "plain").mkdir()
    assert not [text for text in plan(make_clinic(tmp_path / "plain")).passes if "by itself" in text]
