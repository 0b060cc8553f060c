"""Surrogates in columns: of the same kind, and those that a note has for the same original."""

import re
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anon_platform.anonymize import DeidentifyText, Surrogate
from anon_platform.text.names import families, given_names, towns


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two keys of this test."""
    monkeypatch.setenv("ANON_KEY_PATIENTS", bytes(range(32)).hex())
    monkeypatch.setenv("ANON_KEY_OTHERS", bytes(range(100, 132)).hex())


def of(like: Any, values: list[str], key: str = "patients") -> list[str]:
    """The surrogates of these values."""
    treat = Surrogate(technique="surrogate", like=like, key=key).fit("column", pl.String())
    return treat(pl.Series("column", values, dtype=pl.String)).to_list()


def test_a_name_keeps_its_sex_and_its_letters_their_case() -> None:
    """Alice becomes a woman's name, ROBERT a man's in capitals; family names come from family names."""
    alice, robert = of("given_name", ["Alice", "ROBERT"])
    assert alice in given_names("F")
    assert robert.isupper()
    assert robert.casefold() in {name.casefold() for name in given_names("M")}
    (family,) = of("family_name", ["Kowalski"])
    assert family in families()
    (town,) = of("place", ["Chicago"])
    assert town in towns()


def test_columns_and_notes_have_one_surrogate_for_one_name() -> None:
    """Given and family name of two columns stand together in the note of the full name; so does a telephone number."""
    step = DeidentifyText(technique="deidentify_text", replace_by="surrogate", key="patients", model=False)
    text = "Mr. Robert Kowalski, phone 312-555-0142, has slept well."
    (note,) = step.fit_records("note")(pl.DataFrame({"note": [text]})).to_list()
    name = f"{of('given_name', ['Robert'])[0]} {of('family_name', ['Kowalski'])[0]}"
    assert name in note
    assert of("name", ["Robert Kowalski"]) == [name]
    assert of("number", ["312-555-0142"])[0] in note


@given(st.from_regex(r"\A[A-Z]{0,3}[- ]?[0-9]{1,12}\Z"))
def test_a_number_keeps_its_form_and_is_another(text: str) -> None:
    """Digits for digits, letters for letters; never itself, also of one digit."""
    (found,) = of("number", [text])
    shapes = {re.sub("[0-9]", "0", re.sub("[A-Z]", "A", each)) for each in (text, found)}
    assert len(shapes) == 1
    assert found != text


def test_another_key_has_other_surrogates() -> None:
    """Two recipients cannot compare theirs."""
    names = [f"Name{letter}" for letter in "abcdefghijklmnopqrst"]
    pairs = zip(of("name", names), of("name", names, "others"), strict=True)
    assert sum(one == other for one, other in pairs) <= 1


def test_figures_titles_and_signs_in_a_name_do_not_stay() -> None:
    """A number in a column of names is a number of somebody; a lone title may be a name."""
    found = of("given_name", ["4839201", "Dr", "\N{FACE WITH TEARS OF JOY}", "Anna2"])
    assert "4839201" not in found
    assert found[1] != "Dr"
    assert found[2].isalpha()
    assert "Anna" not in found[3]
