"""Encryption comes back as it was, under its key only, and keeps its format where it says so."""

import re
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.anonymize import Encrypt, EncryptFormat, Round
from anon_platform.errors import IntegrityError, SourceError

texts = st.text(st.characters(codec="utf-8"), max_size=20)


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two keys of this test."""
    monkeypatch.setenv("ANON_KEY_PATIENTS", bytes(range(32)).hex())
    monkeypatch.setenv("ANON_KEY_OTHERS", bytes(range(100, 132)).hex())


def codes(technique: Encrypt | EncryptFormat, values: list[str | None]) -> list[str | None]:
    """What the values become."""
    return technique.fit("column", pl.String())(pl.Series(values, dtype=pl.String)).to_list()


def undone(technique: Encrypt | EncryptFormat, values: list[str | None]) -> list[str | None]:
    """What codes were."""
    return technique.undo("column")(pl.Series(values, dtype=pl.String)).to_list()


@settings(deadline=None, max_examples=60)
@given(st.lists(texts | st.none(), max_size=6))
def test_what_was_encrypted_comes_back(values: list[str | None]) -> None:
    """The empty text and every character included; equal values have equal codes, different ones do not."""
    technique = Encrypt(technique="encrypt", key="patients")
    found = codes(technique, values)
    assert undone(technique, found) == values
    assert len(set(found)) == len(set(values))
    assert all(code is None or len(code) >= 24 for code in found)  # 16 bytes authenticate each


def test_a_code_of_another_key_or_a_changed_one_is_told() -> None:
    """Without a word of what it holds."""
    mine, theirs = (Encrypt(technique="encrypt", key=key) for key in ("patients", "others"))
    (code,) = codes(mine, ["Smith"])
    assert code not in codes(theirs, ["Smith"])
    for strange in (code, (code or "")[::-1], "x"):
        with pytest.raises(
            IntegrityError, match="column column: a code was not made with key others"
        ) as told:
            undone(theirs, [strange])
        assert "Smith" not in str(told.value)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.from_regex(r"\A[0-9]{3}-[0-9]{2}-[0-9]{4}\Z"), min_size=1, max_size=8, unique=True))
def test_a_format_stays_and_the_key_undoes_it(values: list[str | None]) -> None:
    """Digits where digits were: one to one, so that joins and checks of the format still hold."""
    technique = EncryptFormat(technique="encrypt_format", key="patients")
    found = codes(technique, values)
    assert all(re.fullmatch(r"[0-9]{3}-[0-9]{2}-[0-9]{4}", code or "") for code in found)
    assert len(set(found)) == len(values)
    assert undone(technique, found) == values
    assert codes(EncryptFormat(technique="encrypt_format", key="others"), values) != found


def test_ff1_is_that_of_the_standard() -> None:
    """Sample 7 of NIST's examples for SP 800-38G: AES-256, radix 10, no tweak."""
    from ffx import FF1

    key = bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94")
    assert FF1(key, radix=10).encrypt("0123456789") == "6657667009"


@pytest.mark.parametrize(
    ("value", "characters", "said"),
    [
        ("12-345", "digits", "1 have fewer than 6 of them"),
        ("A12", "letters_and_digits", "1 have fewer than 4 of them"),
        ("AB-123456", "digits", "1 values have characters outside of characters: digits"),
        ("ab-123456", "letters_and_digits", "1 values have characters outside"),
        ("１２３４５６", "digits", "1 values have characters outside"),
    ],
)
def test_what_cannot_be_hidden_stops_the_run(value: str, characters: str, said: str) -> None:
    """A domain that can be tried out, and letters that would leave as they are."""
    settings_ = {"technique": "encrypt_format", "key": "patients", "characters": characters}
    technique = EncryptFormat.model_validate(settings_)
    with pytest.raises(SourceError) as told:
        codes(technique, [value])
    assert said in str(told.value)
    assert value not in str(told.value)


@settings(deadline=None, max_examples=150)
@given(st.integers(-(2**62), 2**62), st.integers(1, 10**6))
def test_a_number_is_rounded_to_the_nearest_multiple(value: int, step: int) -> None:
    """By exact fractions; of two equally near the even one."""
    (found,) = Round(technique="round", to=step).fit("x", pl.Int64())(pl.Series([value])).to_list()
    assert found == round(Fraction(value, step)) * step
