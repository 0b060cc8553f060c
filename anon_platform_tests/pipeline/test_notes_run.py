"""Notes from the policy's file to a release: nothing of what a row holds is left in its note."""

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from anon_platform.anonymize import DeidentifyText
from anon_platform.errors import PolicyError, SourceError
from anon_platform.home import home
from anon_platform.pipeline import plan, run, verify
from anon_platform.policy import FaultyPolicyError
from anon_platform.validate.text.leaks import says
from anon_platform_tests.clinic import COLUMNS, POLICY, visits, write_csv

NAMES = [
    ("Anna", "Kowalski"),
    ("Brian", "O'Neill"),
    ("May", "Hope"),
    ("Li", "Wu"),
    ("Sofía", "Núñez"),
    ("Della", "Judge"),
]
SETTINGS: dict[str, Any] = {
    "technique": "deidentify_text",
    "replace_by": "surrogate",
    "key": "notes",
    "known_from": ["given_name", "family_name", "phone", "record"],
    "model": False,
}


def identities(number: int) -> dict[str, str]:
    """Of an invented patient."""
    given, family = NAMES[number % len(NAMES)]
    return {
        "given_name": given,
        "family_name": family,
        "phone": f"312-555-{number % 10000:04d}",
        "record": f"MRN{70_000_000 + number}",
    }


def note_of(who: dict[str, str], number: int) -> str:
    """A note that tells all of it, in several spellings."""
    spelled = who["phone"].replace("-", "") if number % 2 else f"({who['phone'][:3]}) {who['phone'][4:]}"
    return (
        f"{who['given_name']} {who['family_name'].upper()} (record {who['record']}) may improve; hope remains."
        f" Mr. {who['family_name']}'s phone is {spelled}. Seen on 2008-03-{number % 28 + 1:02d}. HbA1c 6.5, BP 120/80."
    )


def make_notes(folder: Path, **changed: Any) -> Path:
    """The clinic with a note for each visit."""
    rows, columns = [], [*COLUMNS, "given_name", "family_name", "phone", "record", "note"]
    for i, row in enumerate(visits(120)):
        who = identities(int(row[1][1:]))
        rows.append((*row, *who.values(), f'"{note_of(who, i)}"' if i % 10 else ""))
    write_csv(folder / "source" / "visits.csv", rows, tuple(columns))
    policy = yaml.safe_load(POLICY)
    policy.pop("model")
    policy["thresholds"].pop("model_loss")
    for name in ("given_name", "family_name", "phone", "record"):
        policy["columns"][name] = {"role": "direct_identifier", "treat": {"technique": "suppress"}}
    policy["columns"]["note"] = {"role": "free_text", "treat": SETTINGS | changed}
    file = folder / "clinic.yaml"
    file.write_text(yaml.safe_dump(policy, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return file


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of the surrogates."""
    monkeypatch.setenv("ANON_KEY_NOTES", bytes(range(50, 82)).hex())


@pytest.mark.parametrize("wishes", [{}, {"replace_by": "type", "key": None}])
def test_released_notes_say_nothing_of_what_their_row_holds(tmp_path: Path, wishes: dict[str, Any]) -> None:
    """Looked for in the files by plain means; clinical words and numbers stay, and no identifier column leaves."""
    outcome = run(make_notes(tmp_path, **wishes))
    assert outcome.released, outcome.validated.assessment
    release = Path(outcome.validated.path)
    assert verify(release).passed
    rows = pl.read_parquet(release / "data" / "*.parquet")
    assert not {"given_name", "family_name", "phone", "record"} & set(rows.columns)
    whole = " ".join(rows["note"].drop_nulls()).casefold()
    for number in range(120):
        who = identities(number)
        assert who["record"].casefold() not in whole
        assert not re.search(r"\W*".join(who["phone"].replace("-", "")), whole)
    for _, family in NAMES:
        assert not re.search(rf"(?<!\w){re.escape(family.casefold())}(?!\w)", whole) or family == "Hope"
    assert "hba1c 6.5, bp 120/80" in whole
    assert "may improve" in whole  # of patients who are not called May
    assert 0 < rows["note"].null_count() < rows.height
    report = (release / "report.html").read_text(encoding="utf-8")
    assert "own identifiers left in note" in report
    numbers = json.loads((release / "manifest.json").read_text())["stages"]["anonymized"]
    assert numbers["text_found"]["note"]["PERSON"] > 0


def test_a_note_that_still_names_its_patient_refuses_the_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The validator reads the released text; it does not believe the finder."""

    def careless(_step: DeidentifyText, column: str) -> Any:
        return lambda rows: rows[column]

    monkeypatch.setattr(DeidentifyText, "fit_records", careless)
    outcome = run(make_notes(tmp_path))
    assert not outcome.released
    missed = [metric.name for metric in outcome.validated.assessment.missed()]  # type: ignore[union-attr]
    assert missed == ["own identifiers left in note"]


def test_a_surrogate_is_the_same_everywhere_and_under_one_key_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that who reads the notes of one patient knows that they are; two recipients cannot compare theirs."""
    step = DeidentifyText.model_validate_json(json.dumps(SETTINGS))
    texts = pl.DataFrame({"note": ["Mr. Kowalski came.", "Spoke to KOWALSKI, Anna.", None, ""]}).with_columns(
        given_name=pl.lit("Anna"),
        family_name=pl.lit("Kowalski"),
        phone=pl.lit(None, pl.String),
        record=pl.lit(None, pl.String),
    )
    first, second, *rest = step.fit_records("note")(texts).to_list()
    assert rest == [None, ""]
    name = re.fullmatch(r"Mr\. (\w+) came\.", first)
    assert name is not None
    assert name[1] != "Kowalski"
    assert f"{name[1].upper()}, " in second
    monkeypatch.setenv("ANON_KEY_NOTES", bytes(range(90, 122)).hex())
    assert step.fit_records("note")(texts).to_list()[0] != first


def test_many_notes_over_all_cores_are_the_same_as_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In order, whatever process had them."""
    released = []
    for worth in (10**9, 1):
        monkeypatch.setattr("anon_platform.pipeline.texts.WORTH_A_POOL", worth)
        monkeypatch.setattr("anon_platform.pipeline.texts.CHUNK", 40)
        monkeypatch.setenv("ANON_HOME", str(tmp_path / f"home{worth}"))
        monkeypatch.setenv("ANON_KEY_INSTANCE", bytes(range(32)).hex())
        outcome = run(make_notes(tmp_path / f"{worth}"))
        released.append(pl.read_parquet(Path(outcome.validated.path) / "data" / "*.parquet")["note"].sort())
    assert released[0].equals(released[1], null_equal=True)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"key": None}, "surrogates need a key, types have none"),
        ({"known_from": ["given_nam"]}, "no such column under columns; did you mean given_name?"),
        ({"known_from": ["phone", "phone"]}, "name each other column once"),
        ({"language": 3}, "write a text"),
    ],
)
def test_faults_of_a_text_step_are_told_before_a_row_is_read(
    tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    """With what to write instead."""
    with pytest.raises(FaultyPolicyError) as fault:
        plan(make_notes(tmp_path, **changed))
    assert message in str(fault.value)


def test_what_says_something_is_found_in_any_spelling() -> None:
    """And what only looks like it is not."""
    assert says("call (312)555.0199 now", "312-555-0199")
    assert says("NÚÑEZ came", "Núñez")
    assert says("record mrn 7000", "MRN-7000")
    assert not says("The hopes", "Hope")
    assert not says("room 12", "12")
    assert not says("x", "")


def test_a_column_that_is_changed_by_chance_is_no_help_for_a_text(tmp_path: Path) -> None:
    """The text says the original number, the row in the run another one."""
    file = make_notes(tmp_path, known_from=["stay"])
    policy = yaml.safe_load(file.read_text(encoding="utf-8"))
    policy["columns"]["stay"]["treat"] = {"technique": "rank_swap", "percent": 10.0}
    file.write_text(yaml.safe_dump(policy), encoding="utf-8")
    with pytest.raises(
        FaultyPolicyError, match="this column is changed row by row before the text is searched"
    ):
        plan(file)


def marked(folder: Path, **gold: Any) -> Path:
    """The clinic with gold spans for the notes of the first visits: the record's number in each, and one that nobody can find."""
    file = make_notes(folder, gold={"path": "marked", "row": "visit"} | gold)
    rows = pl.read_csv(folder / "source" / "visits.csv", infer_schema=False)
    spans = []
    for visit, record, note in rows.select("visit", "record", "note").rows():
        if note:
            at = note.index(record)
            spans += [
                (visit, at, at + len(record), "MRN"),
                (visit, note.index("improve"), note.index("improve") + 7, "NAME"),
            ]
    (folder / "marked").mkdir()
    frame = pl.DataFrame(spans, schema=["visit", "start", "end", "label"], orient="row")
    frame.write_parquet(folder / "marked" / "part.parquet")
    return file


def test_recall_on_gold_notes_is_measured_and_may_be_demanded(tmp_path: Path) -> None:
    """One mark of two is found, of 11 and 7 characters: worked out by hand."""
    file = marked(tmp_path)
    outcome = run(file)
    assert outcome.released
    assert outcome.validated.assessment is not None
    metrics = {metric.name: metric for metric in outcome.validated.assessment.metrics}
    metric = metrics["recall in note"]
    assert metric.note.startswith("0.6111 of the marked characters were found, in ")
    assert metric.value == pytest.approx(11 / 18)
    page = (Path(outcome.validated.path) / "report.html").read_text(encoding="utf-8")
    assert "61.11\N{NO-BREAK SPACE}%" in page
    policy = yaml.safe_load(file.read_text(encoding="utf-8"))
    policy["thresholds"]["text_recall"] = 0.95
    file.write_text(yaml.safe_dump(policy, sort_keys=False), encoding="utf-8")
    refused = run(file)
    assert [metric.name for metric in refused.validated.assessment.missed()] == ["recall in note"]  # type: ignore[union-attr]


def test_gold_notes_that_are_not_there_stop_the_run(tmp_path: Path) -> None:
    """No number is better than one that says nothing."""
    file = make_notes(tmp_path, gold={"path": "nowhere", "row": "visit"})
    with pytest.raises(
        SourceError, match="there are no marked notes at nowhere, as Parquet with the columns visit, start"
    ):
        run(file)
    with pytest.raises(
        FaultyPolicyError, match=r"gold.row: no such column under columns; did you mean visit\?"
    ):
        run(make_notes(tmp_path, gold={"path": "nowhere", "row": "visits"}))


def test_what_the_patients_other_rows_hold_is_not_left_either(tmp_path: Path) -> None:
    """A patient's new telephone number stands in a note of a visit before it was known; the leak check looks for it, too."""
    file = make_notes(tmp_path)
    source = tmp_path / "source" / "visits.csv"
    rows = pl.read_csv(source, infer_schema=False)
    twice = rows.group_by("patient").len().filter(pl.col("len") > 1)["patient"].sort()[0]
    mine = rows.with_row_index("at").filter(pl.col("patient") == twice)["at"].to_list()
    told = "Told to call Zorblax or KX88Q71."
    changed = rows.with_row_index("at").with_columns(
        note=pl.when(pl.col("at") == mine[0]).then(pl.lit(told)).otherwise("note"),
        family_name=pl.when(pl.col("at") == mine[1]).then(pl.lit("Zorblax")).otherwise("family_name"),
        record=pl.when(pl.col("at") == mine[1]).then(pl.lit("KX88Q71")).otherwise("record"),
    )
    changed.drop("at").write_csv(source)
    outcome = run(file)
    assert outcome.released
    notes = pl.read_parquet(Path(outcome.validated.path) / "data" / "*.parquet")["note"].drop_nulls()
    left = notes.filter(notes.str.contains("Told to call"))
    assert len(left) == 1
    assert not left.str.contains("(?i)zorblax|kx88q71").any()


def test_a_pattern_that_never_ends_stops_the_run_and_is_named(tmp_path: Path) -> None:
    """No note is quoted, and nothing is released."""
    endless = {"name": "endless", "label": "ID", "patterns": ["(?:a|a)*(?:a|aa)+$"]}
    file = make_notes(tmp_path, recognizers=[endless])
    source = tmp_path / "source" / "visits.csv"
    rows = pl.read_csv(source, infer_schema=False)
    rows.with_columns(note=pl.lit("a" * 5_000 + "b")).write_csv(source)
    with pytest.raises(PolicyError, match="endless") as caught:
        run(file)
    assert "aaaa" not in str(caught.value)
    assert not (home() / "releases" / "clinic").exists()


def test_emoji_combining_marks_and_empty_notes_leave_as_they_came_but_for_the_names(tmp_path: Path) -> None:
    """Offsets are in characters; half an emoji would show a wrong one."""
    file = make_notes(tmp_path, replace_by="type", key=None)
    source = tmp_path / "source" / "visits.csv"
    rows = pl.read_csv(source, infer_schema=False)
    told = pl.format("👩‍⚕️👍🏽 e\u0301tat: {} {} 🧑🏿‍🦽 fine.", "given_name", "family_name")
    rows.with_columns(note=told).write_csv(source)
    outcome = run(file)
    assert outcome.released
    notes = pl.read_parquet(Path(outcome.validated.path) / "data" / "*.parquet")["note"].unique().to_list()
    assert notes == ["👩‍⚕️👍🏽 e\u0301tat: [PERSON] 🧑🏿‍🦽 fine."]
