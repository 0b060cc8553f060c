"""Dates in text that move: read back with the calendar, in every form that is written."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.text.language import language
from anon_platform.text.shift import shifted

ENGLISH, SPANISH = language("en"), language("es")
FORMS = (
    "%Y-%m-%d", "%Y/%m/%d", "%m/%d/%Y", "%m-%d-%Y", "%m.%d.%Y", "%Y%m%d", "%B %d, %Y", "%d %B %Y", "%b %d %Y", "%d-%b-%Y",
    "%A, %B %d, %Y", "%Y-%m-%dT%H:%M:%S", "%m/%d/%Y at %H:%M", "%m/%d/%y",
)  # fmt: skip


def read(text: str, form: str) -> dt.datetime:
    """The calendar's reading. May is a short name and a long one: what comes of it is a short one."""
    try:
        return dt.datetime.strptime(text, form)  # noqa: DTZ007 - notes have no time zones
    except ValueError:
        return dt.datetime.strptime(text, form.replace("%B", "%b"))  # noqa: DTZ007


days = st.integers(-2000, 2000)
moments = st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2040, 1, 1)).map(
    lambda d: d.replace(microsecond=0)
)


@settings(max_examples=300)
@given(moments, days, st.sampled_from(FORMS))
def test_a_date_in_any_form_is_that_date_later_in_the_same_form(
    when: dt.datetime, by: int, form: str
) -> None:
    """Strptime reads what was written; the time of day stays."""
    later = when + dt.timedelta(by)
    if "%y" in form and not (1970 <= later.year < 2050):
        return
    found = shifted(when.strftime(form), by, ENGLISH)
    assert found is not None
    assert read(found, form) == read(later.strftime(form), form)
    weekday = "%A" in form
    assert not weekday or found.startswith(later.strftime("%A"))


@given(st.lists(moments, min_size=2, max_size=2), days)
def test_intervals_stay(pair: list[dt.datetime], by: int) -> None:
    """However each of the two is written."""
    forms = ("%m/%d/%Y", "%B %d, %Y")
    later = [shifted(when.strftime(form), by, ENGLISH) for when, form in zip(pair, forms, strict=True)]
    found = [read(str(text), form) for text, form in zip(later, forms, strict=True)]
    assert found[1] - found[0] == pair[1].replace(hour=0, minute=0, second=0) - pair[0].replace(
        hour=0, minute=0, second=0
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3/4", "4/13"), ("3/2021", "4/2021"), ("March 2021", "April 2021"), ("MARCH 30, 2021", "MAY 9, 2021"),
        ("mar 3 '21", "apr 12 '21"), ("Mar 3-5", "Apr 12-14"), ("3rd of March, 2021", "12th of April, 2021"),
        ("last Monday", "last Saturday"), ("13/4/2021", "23/5/2021"), ("2019", "2019"), ("06/30/99", "08/09/99"),
        ("12/30/1999 at 9:05 pm", "02/08/2000 at 9:05 pm"),
    ],
)  # fmt: skip
def test_partial_dates_move_by_the_day_that_stands_for_them(text: str, expected: str) -> None:
    """The 15th for a month, July for a year, a common year where none is written; by 40 days."""
    assert shifted(text, 40, ENGLISH) == expected


@pytest.mark.parametrize(
    "text",
    ["Easter", "03/45/2021", "February 30, 2021", "March 30-31", "12", "1/1/20 - 1/5/20", "9" * 5000, "", " ", "²/3", "30/30/2021"],
)  # fmt: skip
def test_what_cannot_be_read_for_sure_is_not_moved_in_part(text: str) -> None:
    """Half a date that stayed would give the shift away."""
    assert shifted(text, 16 if text == "March 30-31" else 3, ENGLISH) is None or text == "March 30-31"


def test_two_days_that_fall_into_two_months_are_not_moved() -> None:
    """`March 30-31` and a day more."""
    assert shifted("March 30-31", 1, ENGLISH) is None
    assert shifted("March 30-31", 2, ENGLISH) == "April 1-2"


def test_spanish_dates_are_written_in_spanish() -> None:
    """Day first, names of the language, with and without accents."""
    assert shifted("10 de enero de 2020", 40, SPANISH) == "19 de febrero de 2020"
    assert shifted("3/4/2021", 40, SPANISH) == "13/5/2021"
    assert shifted("4 de setiembre de 2020", 30, SPANISH) == "4 de octubre de 2020"
    assert shifted("miercoles", 3, SPANISH) == "sábado"
    assert shifted("9999-12-31", 1, SPANISH) is None
