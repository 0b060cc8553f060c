"""The demo generator promises truth to score against; each promise is checked on the written files."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest
from pydantic import ValidationError

from anon_platform.demo import DemoSettings, generate, generator
from anon_platform.demo.reference import source_encounters
from anon_platform.errors import StorageError

IDENTITY = (
    "mrn",
    "given_name",
    "middle_initial",
    "family_name",
    "birth_date",
    "street_address",
    "city",
    "state",
    "zip",
    "sex",
    "race",
    "ssn",
    "phone",
    "email",
    "ip_address",
    "hospital_name",
)


@dataclass(frozen=True)
class Made:
    """A generated folder, read back."""

    path: Path
    summary: dict[str, object]

    @property
    def encounters(self) -> pl.DataFrame:
        """All parts, in the order of the files."""
        return pl.read_parquet(self.path / "encounters" / "*.parquet")

    @property
    def spans(self) -> pl.DataFrame:
        """The gold spans of all notes."""
        return pl.read_parquet(self.path / "note_spans" / "*.parquet")

    @property
    def voters(self) -> pl.DataFrame:
        """The public list."""
        return pl.read_parquet(self.path / "voters.parquet")

    @property
    def patients(self) -> pl.DataFrame:
        """The truth about patients."""
        return pl.read_parquet(self.path / "truth" / "patients.parquet")

    @property
    def links(self) -> pl.DataFrame:
        """The truth about voters."""
        return pl.read_parquet(self.path / "truth" / "links.parquet")


def make(path: Path, *, progress: Callable[[int, int], None] | None = None, **settings: object) -> Made:
    return Made(path, generate(DemoSettings.model_validate(settings), path, progress=progress))


def contents(folder: Path) -> dict[str, bytes]:
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder that does not exist yet."""
    return tmp_path / "out"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("demo"), n=20_000, label="real")


@pytest.fixture(scope="module")
def resampled(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """More encounters than the source has, so that every source patient is copied, some twice."""
    return make(tmp_path_factory.mktemp("demo"), n=120_000, label="resampled", notes=False)


def visits(made: Made) -> pl.DataFrame:
    """The encounters with the patient's next admission and the days until then."""
    return made.encounters.with_columns(
        next_admission=pl.col("admission_ts").shift(-1).over("patient_id", order_by="admission_ts")
    ).with_columns(
        gap=(pl.col("next_admission").dt.date() - pl.col("discharge_ts").dt.date()).dt.total_days()
    )


def marked_texts(made: Made) -> pl.DataFrame:
    """One row a gold span: the marked text and the row of its encounter."""
    length = pl.col("end").cast(pl.Int64) - pl.col("start").cast(pl.Int64)
    return made.spans.join(made.encounters, on="encounter_id", how="left").with_columns(
        text=pl.col("note_text").str.slice("start", length)
    )


def linked(made: Made) -> pl.DataFrame:
    """One row a true link: the voter's values beside the patient's (suffix `_patient`)."""
    patients = made.encounters.unique("patient_id").select("patient_id", *IDENTITY)
    return made.links.join(made.voters, on="voter_id", how="left", validate="1:1").join(
        patients, on="patient_id", how="left", validate="1:1", suffix="_patient"
    )


def test_equal_settings_give_identical_bytes(tmp_path):
    """A benchmark is repeatable only if its data is; CSV and all parts are included."""
    first = make(tmp_path / "a", n=3_000, csv=True)
    second = make(tmp_path / "b", n=3_000, csv=True)
    assert contents(first.path) == contents(second.path)
    assert len(contents(first.path)) == 9  # seven tables, the summary and the marker


def test_the_bytes_do_not_depend_on_the_number_of_threads(tmp_path):
    """The same benchmark on a larger machine: Polars shares work among threads, the files must not show it."""
    program = (
        "import sys, pathlib; from anon_platform.demo import DemoSettings, generate;"
        "generate(DemoSettings(n=30_000, notes=False), pathlib.Path(sys.argv[1]))"
    )
    for threads in ("1", "3"):
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path / threads)],
            env={**os.environ, "POLARS_MAX_THREADS": threads},
            check=True,
        )
    assert contents(tmp_path / "1") == contents(tmp_path / "3")


def test_another_seed_gives_other_people_and_other_numbers(tmp_path):
    """Two seeds must not share identifiers by construction, or a key would link the two samples."""
    first = make(tmp_path / "a", n=2_000, seed=1, notes=False).encounters
    second = make(tmp_path / "b", n=2_000, seed=2, notes=False).encounters
    for column in ("encounter_id", "patient_id", "mrn", "ssn", "email"):
        assert not set(first[column]) & set(second[column]), column


def test_leaving_the_notes_out_changes_nothing_else(tmp_path):
    """Each purpose draws from its own random stream, so options do not disturb one another."""
    with_notes = make(tmp_path / "a", n=1_000)
    without = make(tmp_path / "b", n=1_000, notes=False)
    assert with_notes.encounters.drop("note_text").equals(without.encounters)
    assert with_notes.voters.equals(without.voters)


@pytest.mark.parametrize("n", [1, 2, 10, 1_000, 12_345])
def test_the_number_of_encounters_is_exact_from_one_upwards(out, n):
    """Whole patients are drawn, so the last one has to be cut to size; tiny samples work as well."""
    made = make(out, n=n)
    assert made.encounters.height == n == made.summary["encounters"]
    assert made.patients["patient_id"].n_unique() == made.patients.height == made.summary["patients"]
    assert set(made.encounters["patient_id"]) == set(made.patients["patient_id"])
    assert made.spans.height == made.summary["spans"]
    assert set(made.spans["encounter_id"]) == set(made.encounters["encounter_id"])


def test_parts_are_equally_long_and_sorted_by_admission_across_parts(out, monkeypatch):
    """Readers may stop early or stream: the order of time holds over the borders of the files."""
    monkeypatch.setattr(generator, "ROWS_PER_PART", 1_000)
    seen: list[tuple[int, int]] = []
    made = make(out, n=2_500, progress=lambda done, total: seen.append((done, total)))
    parts = sorted((out / "encounters").glob("part-*.parquet"))
    assert [pl.read_parquet(part).height for part in parts] == [1_000, 1_000, 500]
    assert pl.concat([pl.read_parquet(part) for part in parts])["admission_ts"].is_sorted()
    assert made.encounters["encounter_id"].n_unique() == 2_500
    assert len(list((out / "note_spans").glob("part-*.parquet"))) == 3
    assert seen == [(1_000, 2_500), (2_000, 2_500), (2_500, 2_500)]


@pytest.mark.parametrize(
    ("label", "column"),
    [
        ("SSN", "ssn"),
        ("EMAIL", "email"),
        ("ZIP", "zip"),
        ("CITY", "city"),
        ("ADDRESS", "street_address"),
        ("IP", "ip_address"),
        ("HOSPITAL", "hospital_name"),
        ("DEVICE_ID", "device_serial"),
        ("AGE", "age"),
    ],
)
def test_a_gold_span_is_exactly_the_value_of_its_column(made, label, column):
    """The detector's score rests on these offsets; one character off and every score is wrong."""
    marked = marked_texts(made).filter(pl.col("label") == label)
    assert marked.height > 50
    assert (marked["text"] == marked[column].cast(pl.String)).all()


def test_gold_spans_of_rewritten_values_hold_the_value_in_another_form(made):
    """Numbers lose their punctuation, names change case and order; the identity stays the row's."""
    marked = marked_texts(made).with_columns(digits=pl.col("text").str.replace_all(r"\D", ""))
    numbers = marked.filter(pl.col("label") == "PHONE")
    phone = numbers["phone"].str.replace_all(r"\D", "")
    assert (numbers["digits"].str.slice(-10) == phone).all()
    records = marked.filter(pl.col("label") == "MRN")
    assert (records["digits"] == records["mrn"].str.strip_prefix("MRN-")).all()
    names = marked.filter(pl.col("label") == "PATIENT_NAME").with_columns(pl.col("text").str.to_lowercase())
    known = names.select(
        pl.col("text").str.contains(pl.col("family_name").str.to_lowercase(), literal=True)
        | (pl.col("text") == pl.col("given_name").str.to_lowercase())
    ).to_series()
    assert known.all()


def test_gold_dates_are_the_dates_of_the_row(made):
    """Birth dates and dates of stay are told apart, in each of the spellings that carry a year."""
    marked = marked_texts(made).with_columns(
        said=pl.coalesce(
            pl.col("text").str.to_date(spelling, strict=False)
            for spelling in ("%m/%d/%Y", "%Y-%m-%d", "%B %d, %Y", "%d-%b-%Y")
        )
    )
    with_year = marked.filter(pl.col("text").str.contains(r"\d{4}"))
    births = with_year.filter(pl.col("label") == "BIRTH_DATE")
    stays = with_year.filter(pl.col("label") == "DATE")
    assert births.height > 1_000
    assert stays.height > 1_000
    assert (births["said"] == births["birth_date"]).all()
    admitted, discharged = stays["admission_ts"].dt.date(), stays["discharge_ts"].dt.date()
    assert ((stays["said"] == admitted) | (stays["said"] == discharged)).all()


def test_gold_spans_are_in_order_and_never_overlap(made):
    """Replacing spans from left to right is what every user of the gold does."""
    spans = made.spans.with_columns(before=pl.col("end").shift(1).over("encounter_id"))
    assert (spans["start"] < spans["end"]).all()
    assert (spans.drop_nulls("before")["start"] >= spans.drop_nulls("before")["before"]).all()


def test_no_structured_identifier_is_left_outside_the_gold_spans(made):
    """An identifier without a span would count as a false alarm of the detector that finds it."""
    spans = made.spans.group_by("encounter_id").agg("start", "end")
    rows = made.encounters.head(3_000).join(spans, on="encounter_id").iter_rows(named=True)
    for row in rows:
        rest = list(row["note_text"])
        for start, end in zip(row["start"], row["end"], strict=True):
            rest[start:end] = "_" * (end - start)
        text = "".join(rest)
        assert not re.search(
            r"\d{4}-\d\d-\d\d|\d+/\d+/\d+|@|\d{3}-\d\d-\d{4}|555[-. ]?\d{4}|MRN-|INF\d|198\.1[89]\.", text
        )
        assert not any(row[column] in text for column in ("street_address", "hospital_name"))
        assert not re.search(r"(Dr\.|Mr\.|Ms\.) [^_]", text)


def test_a_patient_is_the_same_person_in_every_encounter(made):
    """Linkage over time needs constant identifiers, and age must follow from the birth date alone."""
    distinct = made.encounters.group_by("patient_id").agg(pl.col(IDENTITY).n_unique())
    assert distinct.select(pl.max_horizontal(pl.col(IDENTITY).max())).item() == 1
    for row in made.encounters.head(2_000).iter_rows(named=True):
        born, admitted = row["birth_date"], row["admission_ts"].date()
        birthday_to_come = (admitted.month, admitted.day) < (born.month, born.day)
        assert row["age"] == admitted.year - born.year - birthday_to_come
        assert row["age_group"] == f"[{row['age'] // 10 * 10}-{row['age'] // 10 * 10 + 10})"


def test_record_and_social_security_numbers_belong_to_one_patient(resampled):
    """A shared number would be a false link in the truth itself."""
    patients = resampled.encounters.unique("patient_id")
    assert patients["mrn"].n_unique() == patients["ssn"].n_unique() == patients.height
    assert resampled.encounters["encounter_id"].n_unique() == resampled.encounters.height
    assert patients["ssn"].str.contains(r"^\d{3}-\d\d-\d{4}$").all()
    assert not patients["ssn"].str.contains(r"^(000|666|9)|-00-|-0000$").any()


def test_the_first_encounter_has_the_age_group_of_its_source(out):
    """Birth dates are invented to fit the real age groups, not the other way round."""
    made = make(out, n=20_000, notes=False)
    first = made.encounters.group_by("patient_id").agg(
        pl.col("age_group").get(pl.col("admission_ts").arg_min())
    )
    source = source_encounters().unique("patient_nbr", keep="first", maintain_order=True)
    both = made.patients.join(first, on="patient_id").join(
        source, left_on="source_patient_nbr", right_on="patient_nbr"
    )
    older = ["[90-100)", "[100-110)"]
    exact = both.filter(pl.col("age") != "[90-100)")
    assert (exact["age_group"] == exact["age"]).all()
    assert both.filter(pl.col("age") == "[90-100)")["age_group"].is_in(older).all()


@pytest.mark.parametrize("fixture", ["made", "resampled"])
def test_encounters_of_a_patient_follow_one_another_within_the_ten_years(fixture, request):
    """Nobody lies in two hospitals at once, even the patients with forty encounters."""
    rows = visits(request.getfixturevalue(fixture))
    assert (rows["discharge_ts"] > rows["admission_ts"]).all()
    assert rows["gap"].drop_nulls().min() >= 1
    assert rows["admission_ts"].dt.date().min() >= date(1999, 1, 1)
    assert rows["discharge_ts"].dt.date().max() <= date(2008, 12, 31)
    days = (rows["discharge_ts"].dt.date() - rows["admission_ts"].dt.date()).dt.total_days()
    assert (days == rows["time_in_hospital"].cast(pl.Int64)).all()


@pytest.mark.parametrize("fixture", ["made", "resampled"])
def test_the_label_agrees_with_the_days_to_the_next_admission(fixture, request):
    """Within 30 days means within 30 days, so that a label can be recomputed from the dates."""
    rows = visits(request.getfixturevalue(fixture)).drop_nulls("gap")
    assert rows.height > 4_000
    assert ((rows["readmitted"] == "<30") == (rows["gap"] < 30)).all()


@pytest.mark.parametrize("fixture", ["made", "resampled"])
def test_labels_are_as_frequent_as_in_the_source(fixture, request):
    """Within 1.5 points: at 20,000 rows the standard error of a share is below 0.4, so a false alarm is rare."""
    made = request.getfixturevalue(fixture)
    shares = dict(made.encounters["readmitted"].value_counts(normalize=True).iter_rows())
    expected = dict(source_encounters()["readmitted"].value_counts(normalize=True).iter_rows())
    assert shares == pytest.approx(expected, abs=0.015)
    assert made.summary["readmitted"] == dict(made.encounters["readmitted"].value_counts().iter_rows())


def test_clinical_values_stay_close_to_the_source(resampled):
    """The perturbation hides copies and must not move what a model learns from."""
    source, copies = source_encounters(), resampled.encounters
    for column in ("time_in_hospital", "num_lab_procedures", "num_medications", "number_inpatient"):
        assert copies[column].mean() == pytest.approx(source[column].mean(), rel=0.02), column
        assert copies[column].min() >= source[column].min(), column
        assert copies[column].max() <= source[column].max(), column
    for column in ("diag_1", "diag_3", "medical_specialty", "payer_code", "insulin"):
        assert set(copies[column]) <= set(source[column]), column


def test_copies_of_a_source_patient_share_a_split(resampled):
    """A model tested on copies of its training rows would look far better than it is."""
    per_source = resampled.patients.group_by("source_patient_nbr").agg(pl.col("split").n_unique(), pl.len())
    assert per_source["split"].max() == 1
    assert per_source["len"].max() > 1
    shares = dict(resampled.patients["split"].value_counts(normalize=True).iter_rows())
    assert shares == pytest.approx({"train": 0.70, "valid": 0.15, "test": 0.15}, abs=0.01)


def test_links_without_a_mistake_agree_in_name_birth_date_sex_and_zip(made):
    """These are the patients that an exact join on the public list re-identifies."""
    exact = linked(made).filter(pl.col("changed") == "")
    assert exact.height == made.summary["linked_exact"]
    for column in ("given_name", "family_name", "birth_date", "sex", "zip", "city", "street_address"):
        assert (exact[column] == exact[f"{column}_patient"]).all(), column


def test_links_with_a_mistake_differ_where_the_truth_says_so(made):
    """The error rates of the list are known only if no mistake is claimed that is none."""
    rows = linked(made).with_columns(
        address=(pl.col("zip") != pl.col("zip_patient"))
        | (pl.col("street_address") != pl.col("street_address_patient")),
        birth_date=pl.col("birth_date") != pl.col("birth_date_patient"),
        name=pl.col("family_name") != pl.col("family_name_patient"),
    )
    claimed = rows["changed"].str.split(";")
    assert (rows["address"] == claimed.list.contains("address")).all()
    assert (rows["birth_date"] == claimed.list.contains("birth_date")).all()
    assert (rows["name"] | ~(claimed.list.contains("typo") | claimed.list.contains("family_name"))).all()
    assert 0.08 < rows["address"].mean() < 0.12


def test_the_patients_table_and_the_links_table_tell_the_same(made):
    """Two files of truth must not contradict each other, and the list has the overlap asked for."""
    known = made.patients.drop_nulls("voter_id").select("voter_id", "patient_id")
    assert known.sort("voter_id").equals(made.links.select("voter_id", "patient_id").sort("voter_id"))
    assert made.voters["voter_id"].n_unique() == made.voters.height == made.patients.height
    assert made.links.height == round(0.30 * made.patients.height) == made.summary["linked"]
    assert (made.voters["registered"] > made.voters["birth_date"]).all()


def test_a_list_without_noise_is_exact(out):
    """The upper bound of any linkage attack."""
    made = make(out, n=5_000, notes=False, voter_noise=0, overlap=0.9)
    assert made.summary["linked_exact"] == made.summary["linked"] == made.links.height > 2_000
    rows = linked(made)
    for column in ("given_name", "family_name", "birth_date", "sex", "zip", "street_address"):
        assert (rows[column] == rows[f"{column}_patient"]).all(), column


@pytest.mark.parametrize(("voters", "overlap"), [(0, 0.5), (7, 1.0), (5_000, 0.0)])
def test_the_list_has_the_size_asked_for(out, voters, overlap):
    """Also if it is shorter than the patients who should stand on it, or holds none of them."""
    made = make(out, n=300, notes=False, voters=voters, overlap=overlap)
    assert made.voters.height == voters
    assert made.links.height <= voters
    assert made.links.height == {0: 0, 7: 7, 5_000: 0}[voters]


def test_a_complete_folder_is_left_as_it_is(out):
    """A second call costs nothing, so that callers need not ask whether the data is there."""
    first = make(out, n=500)
    before = {f: f.stat().st_mtime_ns for f in out.rglob("*")}
    seen: list[tuple[int, int]] = []
    second = make(out, n=500, progress=lambda done, total: seen.append((done, total)))
    assert {f: f.stat().st_mtime_ns for f in out.rglob("*")} == before
    assert second.summary == first.summary
    assert seen == [(500, 500)]


def test_a_folder_with_a_damaged_file_is_made_anew(out):
    """Complete means: every file of the summary, with its size."""
    first = make(out, n=500)
    whole = contents(out)
    (out / "voters.parquet").unlink()
    (out / "encounters" / "part-000.parquet").write_bytes(b"half")
    assert make(out, n=500).summary == first.summary
    assert contents(out) == whole


def test_other_settings_replace_everything_that_was_there(tmp_path):
    """No part of the longer run may survive beside the shorter one."""
    make(tmp_path / "a", n=800, csv=True)
    make(tmp_path / "a", n=300, seed=3, notes=False)
    make(tmp_path / "b", n=300, seed=3, notes=False)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_an_interrupted_run_looks_incomplete_and_is_taken_up_by_the_next(tmp_path):
    """There is no summary before the last file, and no file under its name before its last byte."""

    def interrupt(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "a", n=400, progress=interrupt)
    assert not (tmp_path / "a" / "summary.json").exists()
    (tmp_path / "a" / "encounters" / "part-001.parquet.partial").write_bytes(b"half")
    make(tmp_path / "a", n=400)
    make(tmp_path / "b", n=400)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_a_folder_with_files_of_others_is_refused_and_untouched(out):
    """The generator replaces folders; it must never replace somebody's data."""
    (out / "encounters").mkdir(parents=True)
    (out / "encounters" / "part-000.parquet").write_bytes(b"precious")
    with pytest.raises(
        StorageError,
        match=rf"^folder {out} is not empty and was not written by this generator; name another folder$",
    ):
        make(out, n=10)
    assert contents(out) == {"encounters/part-000.parquet": b"precious"}


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    """The message names the path, so that the caller can choose another one."""
    (tmp_path / "out").write_bytes(b"precious")
    with pytest.raises(StorageError, match=rf"^{tmp_path / 'out'} is a file; name a folder$"):
        make(tmp_path / "out", n=10)
    with pytest.raises(StorageError, match=r"^cannot write .*: Not a directory$"):
        make(tmp_path / "out" / "deeper", n=10)


@pytest.mark.parametrize(
    "wrong", [{"n": 0}, {"overlap": 1.5}, {"label": "invented"}, {"voter_noise": -1}, {"rows": 5}]
)
def test_settings_that_make_no_sense_are_refused(wrong):
    """Before any work is done."""
    with pytest.raises(ValidationError):
        DemoSettings.model_validate(wrong)


def test_the_licence_of_every_shipped_file_is_stated_and_the_files_are_small():
    """Whoever ships the package ships these files, and needs to know under which terms."""
    data = files("anon_platform.demo").joinpath("data")
    shipped = [file for file in data.iterdir() if file.name != "LICENSES.md"]
    stated = data.joinpath("LICENSES.md").read_text(encoding="utf-8")
    assert all(f"`{file.name}`" in stated for file in shipped)
    assert sum(len(file.read_bytes()) for file in shipped) < 5_500_000
