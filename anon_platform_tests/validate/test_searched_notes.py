"""Released notes under HIPAA Safe Harbor: what replaced a find decides, and what a second search still finds."""

from pathlib import Path
from typing import Any

import pytest

from anon_platform.table import PERSON, ROW
from anon_platform.validate.safe_harbor import notes
from anon_platform.validate.safe_harbor.notes import Notes, Searched
from anon_platform.validate.text.leaks import leaks_by_column, measure_text_leaks
from anon_platform_tests.validate.safe_harbor import evidence_of, failed, rulings

TYPES = {"technique": "deidentify_text", "replace_by": "type", "model": False, "known_from": ("sex",)}
SURROGATES = {**TYPES, "replace_by": "surrogate", "key": "notes"}

CLEAN = [f"Mr. [PERSON] was seen on [DATE_TIME] in bed {i % 4} and slept well" for i in range(40)]
SAYS = [*CLEAN[:-1], "Please call 312-555-0199 or write to jane.smith@example.org"]


def treated(settings: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The policy of a text column."""
    return {"note": {"role": "free_text", "type": "string", "treat": settings}}


def test_notes_with_types_in_place_of_finds_pass(tmp_path: Path) -> None:
    """Nothing is found a second time; the types themselves are no finds."""
    evidence = evidence_of(tmp_path, {"note": CLEAN}, treated(TYPES))
    assert failed(evidence, {"note": 0.0}) == {}
    assert "text note: all texts compared with their own rows, all 40 texts searched again" in (
        rulings(evidence, {"note": 0.0})["A"].looked_at
    )


def test_what_is_still_found_fails_its_class(tmp_path: Path) -> None:
    """A telephone number may be a fax number; its digits are not told."""
    found = failed(evidence_of(tmp_path, {"note": SAYS}, treated(TYPES)), {"note": 0.0})
    told = "note: PHONE_NUMBER in fewer than 11 texts, still found"
    mail = "note: EMAIL_ADDRESS in fewer than 11 texts, still found"
    assert found == {"D": (told,), "E": (told,), "F": (mail,)}


def test_a_note_that_says_a_value_of_its_own_row_fails_every_class_of_text(tmp_path: Path) -> None:
    """What a leaked value is nobody can tell from outside; faces and fingerprints are in no text."""
    found = failed(evidence_of(tmp_path, {"note": CLEAN}, treated(TYPES)), {"note": 12.0})
    assert "".join(found) == "ABCDEFGHIJKLMNOR"
    assert found["A"] == ("note: values of their own rows in 12 texts",)


@pytest.mark.parametrize("settings", [TYPES, SURROGATES])
def test_notes_with_shifted_dates_fail_the_clause_of_dates(tmp_path: Path, settings: dict[str, Any]) -> None:
    """A date that was moved still has a day, and a second search cannot tell it from one that was missed."""
    moved = {**settings, "shift_dates": {"key": "dates", "days": 365}}
    texts = [text.replace("[DATE_TIME]", "2008-03-17") for text in CLEAN]
    found = failed(evidence_of(tmp_path, {"note": texts}, treated(moved)), {"note": 0.0})
    assert found["C"] == ("note: shifted dates are dates all the same; leave shift_dates out",)


def test_surrogates_are_codes_that_are_derived(tmp_path: Path) -> None:
    """The same number becomes the same other number, under a key: 164.514(c) does not permit it."""
    found = failed(evidence_of(tmp_path, {"note": SAYS}, treated(SURROGATES)), {"note": 0.0})
    assert found == {
        "R": ("note: surrogates of numbers are derived from the numbers under a key; write replace_by: type",)
    }


def test_surrogates_that_nothing_was_compared_with_fail(tmp_path: Path) -> None:
    """They look like what they replace, so that a second search says nothing."""
    settings = {**SURROGATES, "known_from": ()}
    found = failed(evidence_of(tmp_path, {"note": CLEAN}, treated(settings)))
    assert "".join(found) == "ABCDEFGHIJKLMNOR"
    assert found["B"] == (
        (
            "note: surrogates look like what they replace, and nothing else shows what was missed; name known_from, or"
            " write replace_by: type"
        ),
    )


def test_many_texts_are_searched_in_part_and_the_report_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search of a million notes again would double the run."""
    monkeypatch.setattr(notes, "MOST", 10)
    evidence = evidence_of(tmp_path, {"note": CLEAN}, treated(TYPES))
    assert "a sample of 10 of the 40 texts searched again" in rulings(evidence)["A"].looked_at


def test_what_may_be_a_name_and_organizations_are_for_a_reader() -> None:
    """An organization may be somebody's employer; a word that no list explains may be a name."""
    text = Searched(
        "note", 50, 50, {}, {"ORGANIZATION": 3, "PERSON": 20}, own=True, leaks=0, surrogates=False
    )
    assert Notes((text,)).reasons(frozenset({"PERSON"})) == []
    assert Notes((text,)).doubts(frozenset({"PERSON"})) == [
        "note: PERSON in 20 texts, which may identify somebody; read some of them"
    ]
    assert Notes((text,)).labels == {"ORGANIZATION", "PERSON"}


@pytest.mark.parametrize(("text", "leaks"), [("Mr. [PERSON] slept", 0), ("Mr. Person slept", 1), ("[Person] slept", 1)])  # fmt: skip
def test_a_patient_called_person_is_not_named_by_the_type(tmp_path: Path, text: str, leaks: int) -> None:
    """Somebody of this name refused every release with notes."""
    evidence = evidence_of(
        tmp_path,
        {"note": [text], "name": ["Person"]},
        treated({**TYPES, "known_from": ("name",)}),
        harmless=False,
    )
    assert evidence.kept.columns == [ROW, PERSON]
    assert leaks_by_column(measure_text_leaks(evidence)) == {"note": leaks}
