"""Shifted dates from the policy's file to a release: one shift a patient, in columns, notes and other datasets."""

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from anon_platform.pipeline import run

PATIENTS, VISITS = 40, 3


def source(folder: Path, dataset: str, *, note: bool = True) -> Path:
    """A policy and its visits: two dates, a note that says the first in words, and a number that tells rows apart."""
    rows = []
    for i in range(PATIENTS * VISITS):
        first = dt.date(2019, 1, 1) + dt.timedelta(7 * i)
        text = f"Seen on {first:%B %d, %Y}. Back {first + dt.timedelta(14):%m/%d/%Y}." if i % 5 else None
        rows.append(
            (i, i % PATIENTS, first, dt.datetime.combine(first, dt.time(9, 30)) + dt.timedelta(i % 9), text)
        )
    columns = ["tag", "patient", "first", "last", "note"]
    (folder / dataset).mkdir()
    pl.DataFrame(rows, schema=columns, orient="row").write_parquet(folder / dataset / "visits.parquet")
    shift = {"technique": "shift_dates", "key": "shifts", "days": 200}
    text_step: dict[str, Any] = {"technique": "deidentify_text", "replace_by": "type", "model": False}
    text_step["shift_dates"] = {"key": "shifts", "days": 200}
    suppress = {"technique": "suppress"}
    policy = {
        "version": 1, "dataset": dataset, "title": "Visits", "owner": "privacy@clinic.example",
        "source": {"format": "parquet", "path": dataset},
        "privacy_unit": {"column": "patient", "name": "patient"},
        "columns": {
            "tag": {"role": "insensitive"},
            "patient": {"role": "direct_identifier", "treat": suppress},
            "first": {"role": "timestamp", "treat": shift},
            "last": {"role": "timestamp", "treat": shift},
            "note": {"role": "free_text", "treat": text_step if note else suppress},
        },
        "thresholds": {"fidelity": 0.1},
        "publish": {"formats": ["parquet", "csv"], "recipient": "tests", "purpose": "tests"},
    }  # fmt: skip
    file = folder / f"{dataset}.yaml"
    file.write_text(yaml.safe_dump(policy, sort_keys=False), encoding="utf-8")
    return file


def released(file: Path) -> pl.DataFrame:
    """The released rows by tag, beside the original dates."""
    outcome = run(file)
    assert outcome.released, outcome.validated.assessment
    rows = pl.read_parquet(Path(outcome.validated.path) / "data" / "*.parquet")
    originals = pl.read_parquet(file.parent / file.stem / "*.parquet").select(
        "tag", "patient", was_first="first", was_last="last", was_note="note"
    )
    return rows.join(originals, on="tag").sort("tag")


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of the shifts."""
    monkeypatch.setenv("ANON_KEY_SHIFTS", bytes(range(70, 102)).hex())


def test_all_dates_of_a_patient_move_alike_in_columns_notes_and_datasets(tmp_path: Path) -> None:
    """Days, times and texts by one number a patient, which another dataset of the same patients has too."""
    rows, others = (
        released(source(tmp_path, "visits")),
        released(source(tmp_path, "visits_again", note=False)),
    )
    assert rows.height == PATIENTS * VISITS
    shifts = rows.with_columns(by=(pl.col("first") - pl.col("was_first")).dt.total_days())
    assert shifts.group_by("patient").agg(pl.col("by").n_unique())["by"].to_list() == [1] * PATIENTS
    assert shifts["by"].abs().is_between(1, 200).all()
    assert shifts["by"].n_unique() > PATIENTS // 2
    assert ((rows["last"] - rows["was_last"]) == (rows["first"] - rows["was_first"])).all()
    assert (rows["last"].dt.time() == rows["was_last"].dt.time()).all()
    for first, note, was in rows.select("first", "note", "was_note").iter_rows():
        back = first + dt.timedelta(14)
        # "May" alone does not say whether months are written in full
        expected = (
            f"Seen on {first:%B %d, %Y}. Back {back:%m/%d/%Y}.",
            f"Seen on {first:%b %d, %Y}. Back {back:%m/%d/%Y}.",
        )
        assert (
            note is None
            if was is None
            else note.replace(" 0", " ") in {text.replace(" 0", " ") for text in expected}
        )
    assert others["first"].to_list() == rows["first"].to_list()
