"""Several releases of one dataset to one recipient, from the policy's file to the ledger."""

import random
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from anon_platform.errors import SourceError
from anon_platform.ledger import Ledger
from anon_platform.pipeline import run
from anon_platform.pipeline.earlier import withdraw
from anon_platform.policy import load_policy
from anon_platform.publish import MANIFEST, read_json
from anon_platform.validate.differencing import Demand
from anon_platform.validate.earlier import demand_of
from anon_platform_tests.clinic import make_clinic, visits, write_csv

Row = tuple[str, ...]


def metrics_of(outcome: Any) -> dict[str, Any]:
    """What was measured, by name."""
    return {metric.name: metric for metric in outcome.validated.assessment.metrics}


def source(folder: Path, rows: list[Row]) -> None:
    """In place of the clinic's visits."""
    shutil.rmtree(folder / "source")
    write_csv(folder / "source" / "visits.csv", rows)


def changed(file: Path, **sections: Any) -> None:
    policy = yaml.safe_load(file.read_text(encoding="utf-8"))
    for name, value in sections.items():
        policy[name] = policy[name] | value if isinstance(value, dict) else value
    file.write_text(yaml.safe_dump(policy, sort_keys=False), encoding="utf-8")


def released(outcome: Any) -> list[tuple[Any, ...]]:
    rows = pl.read_parquet(sorted((Path(outcome.validated.path) / "data").glob("*.parquet")))
    return [tuple(str(cell) for cell in row) for row in rows.rows()]


def treated(outcome: Any) -> dict[str, Any]:
    """The numbers of the anonymized stage, from the manifest."""
    found: dict[str, Any] = read_json(Path(outcome.validated.path) / MANIFEST)["stages"]["anonymized"]
    return found


def test_a_growing_source_keeps_its_levels_and_holds_newcomers_back(tmp_path: Path) -> None:
    """Thirty more patients: the rows that are new stand in groups of three people, counted from the files alone."""
    file = make_clinic(tmp_path)
    first = run(file)
    source(tmp_path, visits(280))
    second = run(file)
    assert second.released, [metric for metric in metrics_of(second).values() if not metric.passed]
    found = metrics_of(second)
    assert found["earlier releases to this recipient"].value == 1
    assert found["k across releases"].value >= 3
    assert treated(second)["levels"] == treated(first)["levels"]
    assert treated(second)["rows_held_back"] > 0
    new = list(released(second))
    for row in released(first):
        assert row in new, "no row of the first release went away"
        new.remove(row)
    by_class: dict[tuple[Any, ...], int] = {}
    for row in new:
        by_class[row[:4]] = by_class.get(row[:4], 0) + 1
    assert by_class
    assert min(by_class.values()) >= 3, "rows; people are no more"
    page = (Path(second.validated.path) / "report.html").read_text(encoding="utf-8")
    assert "Somebody who has this release and earlier ones" in page


def test_a_release_that_breaks_an_earlier_one_is_refused_until_that_is_withdrawn(tmp_path: Path) -> None:
    """Other levels of the same rows: what is told apart by both together is too little, so that most would be held back."""
    file = make_clinic(tmp_path, columns=without("zip"), model=None)
    first = run(file)
    assert first.released
    changed(file, columns=without("age"))
    second = run(file)
    assert not second.released
    assert "anon withdraw" in metrics_of(second)["suppressed records"].note
    assert not (Path(second.validated.path) / "data").exists()
    with pytest.raises(SourceError, match="no release nothing was made"):
        withdraw("clinic", "nothing", "a mistake")
    assert not withdraw("clinic", first.validated.release_id, "deletion confirmed").again
    assert withdraw("clinic", first.validated.release_id, "deletion confirmed").again
    with Ledger.open() as ledger:
        told = [event.details for event in ledger.events("clinic") if event.action == "release.withdrawn"]
    assert told == [{"reason": "deletion confirmed"}]
    third = run(file)
    assert third.released, [metric for metric in metrics_of(third).values() if not metric.passed]
    assert metrics_of(third)["earlier releases to this recipient"].value == 0


def without(name: str) -> dict[str, Any]:
    """The clinic's columns with one quasi-identifier that does not leave, and the others at one fine level."""
    columns = yaml.safe_load((Path(__file__).parent / "earlier_columns.yaml").read_text(encoding="utf-8"))
    columns[name] = {"role": "quasi_identifier", "treat": {"technique": "suppress"}}
    return dict(columns)


def test_l_is_that_of_the_models_of_a_column_too(tmp_path: Path) -> None:
    """A policy may demand diversity of single columns only."""
    models = {name: [{"model": "distinct_l", "l": 2}] for name in ("diagnosis", "result")}
    file = make_clinic(tmp_path, thresholds={"sensitive": models})
    policy = yaml.safe_load(file.read_text(encoding="utf-8"))
    policy["thresholds"].pop("l")
    file.write_text(yaml.safe_dump(policy, sort_keys=False), encoding="utf-8")
    assert demand_of(load_policy(file)) == Demand(3, {"diagnosis": 2, "result": 2})


def test_another_recipient_is_held_against_nothing(tmp_path: Path) -> None:
    """Recipients are told apart by name, not by its capitals and blanks."""
    file = make_clinic(tmp_path)
    assert run(file).released
    changed(file, publish={"recipient": "Somebody else"})
    assert metrics_of(run(file))["earlier releases to this recipient"].value == 0
    changed(file, publish={"recipient": "somebody  ELSE"}, title="Again")
    assert metrics_of(run(file))["earlier releases to this recipient"].value == 1


def test_a_release_without_a_trace_is_no_release_that_was_not_there(tmp_path: Path) -> None:
    """What cannot be compared does not pass."""
    file = make_clinic(tmp_path)
    first = run(file)
    shutil.rmtree(Path(first.validated.path).parents[2] / "traces")
    changed(file, title="Again")
    second = run(file)
    assert not second.released
    missed = second.validated.assessment.missed()
    assert [metric.name for metric in missed] == ["k across releases"]
    assert "left no trace" in missed[0].note


def test_traces_hold_no_value_of_the_source(tmp_path: Path) -> None:
    """They stay as long as the recipient has the release: numbers under the instance's key, and numbers of classes."""
    file = make_clinic(tmp_path)
    outcome = run(file)
    folder = Path(outcome.validated.path).parents[2] / "traces" / "clinic" / outcome.validated.release_id
    rows = pl.read_parquet(folder / "rows.parquet")
    assert rows.height == treated(outcome)["rows_out"]
    assert all(dtype in {pl.UInt32, pl.UInt64} for dtype in rows.dtypes)
    source_rows = visits()
    assert rows["__token__"].n_unique() <= len({row[1] for row in source_rows})
    assert not {row[1] for row in source_rows} & {str(value) for value in rows["__token__"]}


def test_rows_that_are_people_are_found_again_by_what_they_say(tmp_path: Path) -> None:
    """No person column, and the source in another order: nothing is new, nothing gone."""
    rows = visits()
    file = make_clinic(
        tmp_path,
        privacy_unit=None,
        model=None,
        thresholds={"model_loss": None},
    )
    changed_unit(file)
    assert run(file).released
    random.Random(3).shuffle(rows)
    source(tmp_path, rows)
    found = run(file)
    assert found.released, [metric for metric in metrics_of(found).values() if not metric.passed]
    told = found.validated.assessment.detail["earlier"][0]["kinds"]
    assert (told["added"]["groups"], told["removed"]["groups"]) == (0, 0)


def changed_unit(file: Path) -> None:
    policy = yaml.safe_load(file.read_text(encoding="utf-8"))
    policy["privacy_unit"] = {"each_row_is_a_person": True}
    policy["thresholds"].pop("model_loss")
    file.write_text(yaml.safe_dump(policy, sort_keys=False), encoding="utf-8")
