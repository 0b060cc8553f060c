"""Check digits of whole columns against the rules as they are written, number by number."""

import string

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.analyze.columns.checksums import iban, luhn, npi, vin


def luhn_holds(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B: every second digit from the right is doubled, and its digits added."""
    doubled = [int(d) * (2 if place % 2 else 1) for place, d in enumerate(reversed(digits))]
    return sum(sum(map(int, str(number))) for number in doubled) % 10 == 0


def iban_holds(text: str) -> bool:
    """ISO 13616: the first four behind the rest, letters as 10 to 35, the whole a number that leaves 1 by 97."""
    return int("".join(str(int(char, 36)) for char in text[4:] + text[:4])) % 97 == 1


def vin_holds(text: str) -> bool:
    """49 CFR 565.15 (c): values by table III, weights by table IV, the ninth place is the remainder by 11."""
    table = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", map(int, "12345678123457923456789"), strict=True))
    weights = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2]
    total = sum(
        table.get(c, 0) * w if c.isalpha() else int(c) * w for c, w in zip(text, weights, strict=True)
    )
    return text[8] == "0123456789X"[total % 11]


digits = st.text("0123456789", min_size=10, max_size=21)


@settings(max_examples=200)
@given(st.lists(digits, min_size=1, max_size=20))
def test_luhn_is_the_written_rule(texts: list[str]) -> None:
    """Twelve to nineteen digits are numbers of cards; everything else is not looked at."""
    assert luhn(pl.Series(texts)).to_list() == [12 <= len(t) <= 19 and luhn_holds(t) for t in texts]


@settings(max_examples=100)
@given(st.lists(st.text("0123456789", min_size=9, max_size=11), min_size=1, max_size=20))
def test_an_npi_is_a_luhn_number_behind_80840(texts: list[str]) -> None:
    """CMS computes it over the prefix of health care in the US."""
    right = [len(t) == 10 and t[0] in "12" and luhn_holds("80840" + t) for t in texts]
    assert npi(pl.Series(texts)).to_list() == right


@settings(max_examples=100)
@given(
    st.lists(st.text("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", min_size=17, max_size=17), min_size=1, max_size=10)
)
def test_a_vin_is_right_as_its_ninth_place_says(texts: list[str]) -> None:
    """Each number is tried with all eleven check digits, so that one of them is right."""
    tried = [text[:8] + check + text[9:] for text in texts for check in "0123456789X"]
    found = vin(pl.Series(tried)).to_list()
    assert found == [vin_holds(text) for text in tried]
    assert sum(found) == len(texts)


account = st.text(string.ascii_uppercase + string.digits, min_size=11, max_size=30)


@settings(max_examples=100)
@given(st.sampled_from(["DE", "GB", "ES", "FR"]), account)
def test_an_iban_leaves_one_by_97(country: str, rest: str) -> None:
    """All hundred check digits are tried; the rule decides which of them are right."""
    tried = [f"{country}{check:02d}{rest}" for check in range(100)]
    assert iban(pl.Series(tried)).to_list() == [iban_holds(text) for text in tried]


def test_nothing_and_null_have_no_check_digit() -> None:
    """Columns are not always filled."""
    for check in (luhn, npi, vin, iban):
        assert check(pl.Series([], dtype=pl.String)).to_list() == []
        assert check(pl.Series([None, "", "é"], dtype=pl.String)).to_list() == [False, False, False]
