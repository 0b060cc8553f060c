"""What a note's own record names is found in any spelling."""

import datetime as dt
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.text import Finder, Note, language

RECORD = {
    "given_name": "Siân", "family_name": "O'Grady-Long", "mrn": "MRN-00482913", "phone": "617-555-0134", "ssn": "219-09-9999",
    "email": "Sian.Grady@Example.org", "birth_date": "1961-03-14", "street_address": "12 Oak Hill Rd", "city": "Reading",
}  # fmt: skip


@cache
def finder() -> Finder:
    """Rules alone."""
    return Finder(language("en"))


def hidden(text: str, record: dict[str, object]) -> str:
    """The text with every found character as a full block."""
    covered = {i for span in finder().find([Note(text, record)])[0] for i in range(span.start, span.end)}
    return "".join("█" if i in covered else letter for i, letter in enumerate(text))


def cased(text: str) -> st.SearchStrategy[str]:
    """The text as it is, in capitals, in small letters."""
    return st.sampled_from([text, text.upper(), text.lower()])


@st.composite
def names(draw: st.DrawFn) -> str:
    """The name in any order and case, with or without accents, apostrophe, hyphen and a middle initial."""
    given_name = draw(st.sampled_from(["Siân", "Sian", "Sia\u0302n"]))
    family = draw(st.sampled_from(["O'Grady-Long", "O’Grady-Long", "O'Grady Long", "OGrady-Long"]))
    first, second = draw(st.permutations([given_name, family]))
    between = draw(st.sampled_from([" ", ", ", "  "]))
    return draw(cased(f"{first}{between}{second}"))


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """A number of the record with any usual separators."""
    parts = draw(st.sampled_from([("617", "555", "0134"), ("219", "09", "9999")]))
    form = draw(st.sampled_from(["{}-{}-{}", "{} {} {}", "{}.{}.{}", "({}) {}-{}", "{}{}{}", "{}/{}-{}"]))
    return form.format(*parts)


DAY = dt.date(1961, 3, 14)
DATES = st.sampled_from(
    ["%m/%d/%Y", "%m/%d/%y", "%d.%m.%Y", "%Y-%m-%d", "%B %d, %Y", "%d %b %Y", "%d-%b-%y", "%m/%d", "%b %d"]
).map(DAY.strftime)

OTHERS = st.sampled_from(
    ["MRN-00482913", "mrn 00482913", "00482913", "MRN00482913", "sian.grady@example.org", "SIAN.GRADY@EXAMPLE.ORG",
     "12 Oak Hill Rd", "12 OAK HILL RD", "12, Oak-Hill Rd.", "READING", "reading"]
)  # fmt: skip


@settings(max_examples=300)
@given(st.one_of(names(), numbers(), DATES, OTHERS))
def test_every_spelling_of_the_record_is_found(spelling: str) -> None:
    """The identity is known; whatever hides it from a pattern must not hide it from us."""
    left = hidden(f"the note tells us {spelling} and so on", RECORD).removeprefix("the note tells us ")
    left = left.removesuffix(" and so on")
    assert not any(letter.isalnum() for letter in left), left


def test_columns_that_name_nobody_are_not_looked_for() -> None:
    """Insulin: Steady is no name, and neither is the sex."""
    record = {
        "insulin": "Steady",
        "sex": "female",
        "race": "Caucasian",
        "payer_code": "MC",
        "stay": 12,
        "gone": None,
    }
    text = "she was steady, female, caucasian, on day 12 of MC care"
    assert hidden(text, record) == text


def test_a_short_name_does_not_hit_within_words() -> None:
    """Ann is not in annual, and Long is no name in `a long stay`."""
    text = "annual visit after a long stay"
    assert hidden(text, {"given_name": "Ann", "family_name": "Long"}) == text


@pytest.mark.parametrize("text", ["pain 3/14", "about 3-14 times a day"])
def test_figures_that_are_a_date_by_chance_stay(text: str) -> None:
    """Two small numbers agree with some date of the record often."""
    assert hidden(text, {"birth_date": "1961-03-14"}) == text


def test_the_record_of_the_patients_other_rows_counts() -> None:
    """Values come as a list; each is looked for."""
    assert hidden("now called Zzyzx", {"family_name": ["Abcde", "Zzyzx"]}) == "now called █████"
