"""The full way: policy, sample, marks, import, and a run that passes or is refused."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

from anon_platform.anonymize import DeidentifyText
from anon_platform.cli import app
from anon_platform.errors import AnonError, IntegrityError, PolicyError, SourceError
from anon_platform.home import home
from anon_platform.ledger import Ledger
from anon_platform.pipeline import run
from anon_platform.pipeline.reviewed import newest_review
from anon_platform.policy import load_policy
from anon_platform.publish.checks import row_of
from anon_platform.publish.wording import SPACE, Counts
from anon_platform.review import Drawn, draw, import_marks, write_page
from anon_platform.review.drawing import Wish
from anon_platform.validate import Reviewed
from anon_platform_tests.pipeline.test_notes_run import make_notes

WISH = Wish(recall=0.9, confidence=0.95, seed=3)


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of the surrogates."""
    monkeypatch.setenv("ANON_KEY_NOTES", bytes(range(50, 82)).hex())


def silent(what: str, done: int, total: int) -> None:
    """Nobody hears of progress."""


def demanding(folder: Path, recall: float = 0.9) -> Path:
    """The clinic with notes, and a policy that demands a review."""
    file = make_notes(folder)
    policy = yaml.safe_load(file.read_text())
    policy["thresholds"]["reviewed_recall"] = recall
    file.write_text(yaml.safe_dump(policy, sort_keys=False, allow_unicode=True))
    return file


def marked(drawn: Drawn, folder: Path, reviewer: str = "Ana", **notes: Any) -> Path:
    """A file of marks with every note done. notes: as `n1`, what is marked in note 1."""
    said: dict[str, Any] = {
        str(number): {"done": True, "wrong": [], "right_type": [], "missed": []}
        for number in range(1, len(drawn.texts) + 1)
    }
    for name, marks in notes.items():
        said[name.removeprefix("n")] |= marks
    file = folder / f"marks-{reviewer}.json"
    file.write_text(json.dumps({"format": 1, "sample": drawn.sample.id, "reviewer": reviewer, "notes": said}))
    return file


def message(error: pytest.ExceptionInfo[AnonError]) -> str:
    return str(error.value)


def test_a_run_is_refused_until_a_review_shows_the_recall(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sample can be drawn before there is any release, and its review lets the very same policy pass."""
    policy = demanding(tmp_path)
    refused = run(policy)
    assert not refused.released
    assert refused.validated.assessment is not None
    [missed] = refused.validated.assessment.missed()
    assert (missed.check, missed.value) == ("text_review", None)
    assert missed.note == (
        "nobody has reviewed notes under these text settings; draw a sample with: anon review clinic.yaml, mark it,"
        " and read it back with: anon review-import MARKS.json"
    )
    drawn = draw(policy, WISH, silent)
    assert not (home() / "staging" / "clinic" / "review").exists()
    found = import_marks(marked(drawn, tmp_path))
    assert found.recall.share == 1
    assert found.low > 0.9
    outcome = run(policy)
    assert outcome.released
    assert outcome.validated.assessment is not None
    [metric] = [m for m in outcome.validated.assessment.metrics if m.check == "text_review"]
    assert metric.value == found.low
    row = row_of(metric.model_dump(), {"in": 180, "out": 180}, "patient", Counts(3))
    assert (row.threshold.replace(SPACE, " "), row.verdict) == ("at least 90.0 %", "met")
    assert row.note.startswith("lower end of the 95 % interval; 0 of ")
    release = str(outcome.validated.release_id)
    for i, named in enumerate((release, outcome.validated.path, "clinic")):
        page = str(tmp_path / f"r{i}.html")
        typed = ["review", named, "--policy", str(policy), "--recall", "0.9", "-o", page]
        again = CliRunner().invoke(app, typed)
        assert again.exit_code == 0, again.output
    monkeypatch.setenv("ANON_POLICIES", str(tmp_path))
    found_by_itself = CliRunner().invoke(
        app, ["review", "clinic", "--recall", "0.9", "-o", str(tmp_path / "r.html")]
    )
    assert found_by_itself.exit_code == 0, found_by_itself.output
    nothing = CliRunner().invoke(
        app, ["review", "nothing", "--recall", "0.9", "-o", str(tmp_path / "n.html")]
    )
    assert str(nothing.exception).startswith(
        "no such file or folder, release or dataset with a release: nothing"
    )


def test_misses_refuse_the_run(tmp_path: Path) -> None:
    """What a reviewer found missing counts, and the newest review is the one that counts."""
    policy = demanding(tmp_path, recall=0.95)
    drawn = draw(policy, Wish(recall=0.96, confidence=0.95, seed=3), silent)
    assert import_marks(marked(drawn, tmp_path)).low > 0.95
    ends = {
        f"n{i}": {"missed": [[len(text) - 4, len(text) - 2, "ID"]]}
        for i, text in enumerate(drawn.texts[:9], 1)
    }
    found = import_marks(marked(drawn, tmp_path, "Bo", **ends))
    assert (found.recall.n - found.recall.hits, found.touched, found.reviewers) == (9, 9, 2)
    outcome = run(policy)
    assert not outcome.released
    assert outcome.validated.assessment is not None
    assert [m.name for m in outcome.validated.assessment.missed()] == ["reviewed recall"]


def test_other_text_settings_need_another_review(tmp_path: Path) -> None:
    """A review says nothing of a finder that it did not look at; what takes the place of a find does not matter."""
    policy = demanding(tmp_path)
    import_marks(marked(draw(policy, WISH, silent), tmp_path))
    sound = load_policy(policy)
    step = sound.columns["note"].treat[0]
    assert isinstance(step, DeidentifyText)

    def review_of(**changed: Any) -> Reviewed | None:
        column = sound.columns["note"].model_copy(update={"treat": (step.model_copy(update=changed),)})
        return newest_review(sound.model_copy(update={"columns": {**sound.columns, "note": column}}))

    assert review_of() is not None
    assert review_of(replace_by="type", key=None) is not None
    others = (
        {"known_from": step.known_from[:-1]}, {"allow": ("Hope",)}, {"language": "es"}, {"model": True},
        {"second_model": "rampart"},
    )  # fmt: skip
    assert [review_of(**other) for other in others] == [None] * 5


def test_a_review_that_somebody_slipped_into_the_ledger_is_refused(tmp_path: Path) -> None:
    """The threshold rests on the ledger, so that the ledger is checked."""
    policy = demanding(tmp_path)
    found = import_marks(marked(draw(policy, WISH, silent), tmp_path))
    with closing(sqlite3.connect(home() / "ledger.db")) as database, database:
        # whoever owns the file can take its guards away
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        changed = "UPDATE anon_events SET details = replace(details, ?, ?)"
        database.execute(changed, (f'"identifiers":{found.recall.n}', '"identifiers":9999'))
    with pytest.raises(IntegrityError) as error:
        newest_review(load_policy(policy))
    assert message(error) == (
        "the ledger, which holds the review that the policy demands, is not what was written; run: anon audit verify"
    )


def test_the_page_is_private_and_the_ledger_holds_counts_alone(tmp_path: Path) -> None:
    """Neither text nor a reviewer's name leaves the page and the marks."""
    drawn = draw(demanding(tmp_path), WISH, silent)
    write_page(drawn, tmp_path / "review.html")
    assert (tmp_path / "review.html").stat().st_mode & 0o777 == 0o600
    import_marks(marked(drawn, tmp_path))
    kept = list((home() / "reviews").rglob("*.json"))
    assert len(kept) == 2
    assert {file.stat().st_mode & 0o777 for file in kept} == {0o600}
    with Ledger.open() as ledger:
        found = [event for event in ledger.events("clinic") if event.action.startswith("review.")]
    assert [event.action for event in found] == ["review.drawn", "review.imported"]
    told = json.dumps([event.row() for event in found])
    assert "Ana" not in told
    sample = (home() / "reviews" / "clinic" / drawn.sample.id / "sample.json").read_text()
    assert not re.search("Kowalski|MRN|312-555", told + sample)


def test_marks_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    """What was not looked at must not count as found."""
    drawn = draw(demanding(tmp_path), WISH, silent)
    start, end, _ = drawn.sample.notes[0].found[0]
    many = len(drawn.texts)
    wrong = "the marks of note 1 do not fit its text; save them again from the page of this sample"
    for marks, said in (
        (
            {"done": False},
            f"1 of {many} notes are not done, the first is note 1; load the marks on the page, finish them and save again",
        ),
        ({"wrong": [[start, end + 1]]}, wrong),
        ({"missed": [[start, end, "PERSON"]]}, wrong),
        ({"missed": [[0, 10**6, "PERSON"]]}, wrong),
        ({"right_type": [[start, end, "<b>"]]}, wrong),
    ):
        with pytest.raises(SourceError) as error:
            import_marks(marked(drawn, tmp_path, n1=marks))
        assert message(error) == said
    with pytest.raises(SourceError) as error:
        import_marks(marked(drawn, tmp_path, " "))
    assert message(error) == "the marks say no reviewer; write your name on the page and save again"
    with pytest.raises(SourceError) as error:
        import_marks(marked(drawn, tmp_path), "other")
    assert message(error) == "the marks are of a sample of clinic, not of other"
    with Ledger.open() as ledger:
        assert not [event for event in ledger.events() if event.action == "review.imported"]


def test_a_sample_that_was_changed_or_never_drawn_is_refused(tmp_path: Path) -> None:
    """Whoever takes hard notes out of the sample would be believed."""
    drawn = draw(demanding(tmp_path), WISH, silent)
    marks = marked(drawn, tmp_path)
    file = home() / "reviews" / "clinic" / drawn.sample.id / "sample.json"
    file.write_text(file.read_text().replace('"seed":3', '"seed":4'))
    with pytest.raises(IntegrityError) as error:
        import_marks(marks)
    assert message(error) == f"{file} is not what was drawn; draw a new sample with: anon review POLICY"
    marks.write_text(marks.read_text().replace(drawn.sample.id, "a" * 20))
    with pytest.raises(SourceError) as unknown:
        import_marks(marks)
    assert message(unknown) == (
        "the marks belong to no sample that was drawn here; import them where anon review was run, or draw a sample"
        " with: anon review POLICY"
    )


def test_a_policy_without_notes_has_nothing_to_review(tmp_path: Path) -> None:
    """The threshold would guard nothing."""
    file = demanding(tmp_path)
    policy = yaml.safe_load(file.read_text())
    policy["columns"]["note"] = {"role": "free_text", "treat": {"technique": "suppress"}}
    file.write_text(yaml.safe_dump(policy, sort_keys=False))
    with pytest.raises(
        PolicyError,
        match="no column is treated by deidentify_text, so that there is nothing to review; remove it",
    ):
        draw(file, WISH, silent)


def test_the_commands_print_what_was_drawn_and_measured(tmp_path: Path) -> None:
    """The warning is loud, and the numbers are those of the functions."""
    policy, page = demanding(tmp_path), tmp_path / "review.html"
    done = CliRunner().invoke(app, ["review", str(policy), "--recall", "0.9", "-o", str(page), "--seed", "3"])
    assert done.exit_code == 0, done.output
    assert "holds IDENTIFIED notes" in done.output
    assert "36 identifiers of which none is missed show a recall of 0.9 with 95 % confidence." in done.output
    marks = marked(draw(policy, WISH, silent), tmp_path)
    said = CliRunner().invoke(app, ["review-import", str(marks), "--json"])
    assert said.exit_code == 0, said.output
    told = json.loads(said.stdout)
    assert told["low"] == min(told["recall"]["low"], told["by_notes"][0])
    assert CliRunner().invoke(app, ["review-import", str(marks)]).exit_code == 0


def test_the_marks_on_the_page_are_what_the_run_replaces(tmp_path: Path) -> None:
    """Also what a patient's other rows hold: a review of other finds would say nothing of the release."""
    policy = make_notes(tmp_path, replace_by="type", key=None)
    drawn = draw(policy, Wish(recall=0.9, confidence=0.95, seed=3, notes=10**6), silent)
    treated = set()
    for text, note in zip(drawn.texts, drawn.sample.notes, strict=True):
        left = text
        for start, end, label in reversed(note.found):
            left = f"{left[:start]}[{label}]{left[end:]}"
        treated.add(left)
    outcome = run(policy)
    released = pl.read_parquet(Path(outcome.validated.path) / "data" / "*.parquet")["note"].drop_nulls()
    assert len(released) > 100
    assert set(released) <= treated


def test_marks_that_were_taken_away_or_changed_are_noticed(tmp_path: Path) -> None:
    """Whoever may write in the folder cannot drop what a reader found missed before the next reader's marks come."""
    policy = demanding(tmp_path)
    drawn = draw(policy, WISH, silent)
    text = drawn.texts[0]
    first = import_marks(marked(drawn, tmp_path, "Bo", n1={"missed": [[len(text) - 4, len(text) - 2, "ID"]]}))
    assert first.recall.n - first.recall.hits == 1
    assert import_marks(marked(drawn, tmp_path, "Cy")).reviewers == 2
    assert import_marks(marked(drawn, tmp_path, "Cy")).reviewers == 2
    [bo] = [file for file in home().glob("reviews/*/*/marks-*.json") if '"Bo"' in file.read_text()]
    whole = bo.read_text()
    bo.unlink()
    with pytest.raises(
        IntegrityError, match="are not those that were imported; draw a new sample with: anon review"
    ):
        import_marks(marked(drawn, tmp_path, "Di"))
    bo.write_text(whole.replace('"ID"', '"AGE"'))
    with pytest.raises(IntegrityError, match="are not those that were imported"):
        import_marks(marked(drawn, tmp_path, "Di"))
    bo.write_text(whole)
    assert import_marks(marked(drawn, tmp_path, "Di")).reviewers == 3
