"""Each of the 18 classes of 45 CFR 164.514(b)(2)(i): a released table that breaks just it, and one that keeps it."""

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import polars as pl
import pytest

from anon_platform.analyze.columns import KINDS
from anon_platform.anonymize import TECHNIQUES
from anon_platform.errors import IntegrityError
from anon_platform.policy.regulations import HIPAA_SAFE_HARBOR, PACKS
from anon_platform.validate.regulations import judge
from anon_platform.validate.regulations.judging import ON_COLUMNS, ON_MEASURES
from anon_platform.validate.safe_harbor.case import RANDOM, Case, case_of
from anon_platform.validate.safe_harbor.clauses import ELSEWHERE, PLACES, SORTS
from anon_platform_tests.validate.safe_harbor import NOTHING, PEOPLE, evidence_of, failed, rulings

RNG = random.Random(7)
EACH = range(PEOPLE)
FAMILIES = [
    "smith",
    "johnson",
    "williams",
    "brown",
    "jones",
    "garcia",
    "miller",
    "davis",
    "rodriguez",
    "martinez",
    "hernandez",
    "lopez",
    "gonzalez",
    "wilson",
    "anderson",
    "thomas",
    "taylor",
    "moore",
    "jackson",
    "martin",
    "lee",
    "perez",
    "thompson",
    "white",
    "harris",
    "sanchez",
    "clark",
    "ramirez",
    "lewis",
    "robinson",
    "walker",
    "young",
    "allen",
    "king",
    "wright",
    "scott",
    "torres",
    "nguyen",
    "hill",
    "flores",
]
CITIES = [
    "chicago",
    "houston",
    "phoenix",
    "philadelphia",
    "dallas",
    "austin",
    "jacksonville",
    "columbus",
    "charlotte",
    "indianapolis",
    "seattle",
    "denver",
    "boston",
    "nashville",
    "detroit",
    "portland",
    "memphis",
    "louisville",
    "baltimore",
    "milwaukee",
    "albuquerque",
    "tucson",
    "fresno",
    "sacramento",
    "mesa",
    "atlanta",
    "omaha",
    "raleigh",
    "miami",
    "oakland",
    "minneapolis",
    "tulsa",
    "tampa",
    "arlington",
    "aurora",
    "wichita",
    "cleveland",
    "bakersfield",
    "honolulu",
    "anaheim",
]


def digits(form: str) -> list[str]:
    """One number of this form for everybody; # stands for a digit."""
    return ["".join(str(RNG.randint(2, 8)) if sign == "#" else sign for sign in form) for _ in EACH]


def vin(number: int) -> str:
    """A vehicle identification number whose check digit is right (49 CFR 565.15)."""
    values = {
        **{str(d): d for d in range(10)},
        **dict(zip("ABCDEFGH", range(1, 9), strict=True)),
        "J": 1,
        "M": 4,
    }
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    blank = f"1HGCM826{0}3A{number:06d}"
    rest = sum(values[sign] * weight for sign, weight in zip(blank, weights, strict=True)) % 11
    return f"{blank[:8]}{'X' if rest == 10 else rest}{blank[9:]}"


BROKEN: list[tuple[str, str, Sequence[Any]]] = [
    ("A", "family_name", [name.title() for name in FAMILIES]),
    ("A", "ref", [f"{first} {last}".title() for first, last in zip(["mary", "john"] * 20, FAMILIES, strict=True)]),
    ("B", "city", [name.title() for name in CITIES]),
    ("B", "home", [f"{i} Oak Street" for i in EACH]),
    ("B", "zip", ["60614", "60615", "02139", "94110"] * 10),
    ("B", "zip", ["606**", "036**", "000**", "IL"] * 10),
    ("B", "zip", ["606**", "213**"] * 20),
    ("B", "place", [f"41.{i:05d}, -87.{i:05d}" for i in EACH]),
    ("B", "county", ["Cook", "Lake", "Will", "Kane"] * 10),
    ("C", "admitted", [dt.date(2008, 1 + i % 12, 3) for i in EACH]),
    ("C", "seen", [dt.datetime(2008, 1 + i % 12, 3, 4, 5) for i in EACH]),
    ("C", "admitted", ["2008-03", "2008-04"] * 20),
    ("C", "admitted", ["2008-Q1", "2008-Q2"] * 20),
    ("C", "when", ["03/2008", "04/2008"] * 20),
    ("C", "when", ["March", "April"] * 20),
    ("C", "when", ["Mon", "Sun"] * 20),
    ("C", "admission_month", [1, 12] * 20),
    ("C", "code", ["none", "until 2008-03-17"] * 20),
    ("C", "age", [34, 93] * 20),
    ("C", "age", ["34", "90"] * 20),
    ("C", "age", ["[80, 90)", "[90, 100)"] * 20),
    ("C", "birth_year", [1950, 1931] * 20),
    ("D", "phone", digits("(312) 5##-####")),
    ("D", "remark", ["none", "312-555-0199"] * 20),
    ("E", "fax", digits("(312) 5##-####")),
    ("F", "email", [f"{name}@example.org" for name in FAMILIES]),
    ("F", "code", ["none", "smith@example.org"] * 20),
    ("G", "ssn", digits("###-##-####")),
    ("G", "x", digits("###-##-####")),
    ("H", "mrn", digits("M#######")),
    ("I", "member_id", digits("W#########")),
    ("I", "health_plan_number", digits("H#########")),
    ("J", "account_number", digits("########")),
    ("K", "license_number", digits("D###-####-####")),
    ("L", "y", [vin(i) for i in EACH]),
    ("L", "license_plate", digits("AB ####")),
    ("M", "device_serial", digits("SN-########")),
    ("M", "z", [f"00:1b:44:11:3a:{i:02x}" for i in EACH]),
    ("N", "link", [f"https://example.org/p/{i}" for i in EACH]),
    ("O", "q", [f"10.3.7.{i}" for i in EACH]),
    ("P", "fingerprint", [f"{RNG.getrandbits(512):0128x}" for _ in EACH]),
    ("Q", "photo", [f"faces/{i}.jpg" for i in EACH]),
    ("Q", "file", [f"faces/{i}.jpg" for i in EACH]),
    ("R", "study_code", digits("XK#######")),
    ("R", "cost", [10_007 + 13 * i for i in EACH]),
    ("R", "patient_id", ["P1", "P2", "P3", "P4"] * 10),
    ("R", "passport_number", digits("X########")),
    ("R", "user_name", [f"{name}{i}" for i, name in enumerate(FAMILIES)]),
]  # fmt: skip
"""The clause, and a column that breaks it alone."""

KEPT: list[tuple[str, str, Sequence[Any]]] = [
    ("A", "name_known", ["yes", "no"] * 20),
    ("A", "family_name", [None] * PEOPLE),
    ("B", "state", ["IL", "WI", "IN", "MI"] * 10),
    ("B", "zip", ["606**", "000**", "other", None] * 10),
    ("B", "zip", ["IL", "000", "no state", "*"] * 10),
    ("B", "city", ["*"] * PEOPLE),
    ("C", "admitted", ["2008", "2009"] * 20),
    ("C", "admission_year", [2008, 2009] * 20),
    ("C", "age", ["[80, 90)", "90+", "*", None] * 10),
    ("C", "age", [34, 89] * 20),
    ("C", "birth_year", [1950, 1990] * 20),
    ("C", "months_on_drug", [0, 24] * 20),
    ("C", "drug", ["Mar 5 mg", "insulin, May brand of 20 ml"] * 20),
    ("D", "phone_type", ["home", "mobile"] * 20),
    ("E", "fax_sent", ["yes", "no"] * 20),
    ("F", "email_known", ["yes", "no"] * 20),
    ("G", "ssn_checked", ["yes", "no"] * 20),
    ("H", "mrn_missing", ["yes", "no"] * 20),
    ("I", "insurance_type", ["public", "private"] * 20),
    ("J", "account_type", ["open", "closed"] * 20),
    ("K", "license_type", ["full", "none"] * 20),
    ("L", "vehicle_type", ["car", "bus"] * 20),
    ("M", "device_type", ["pump", "monitor"] * 20),
    ("N", "url_clicked", ["yes", "no"] * 20),
    ("O", "ip_version", ["v4", "v6"] * 20),
    ("P", "fingerprint_taken", ["yes", "no"] * 20),
    ("Q", "photo_taken", ["yes", "no"] * 20),
    ("R", "group", ["a", "b", "c", "d"] * 10),
]  # fmt: skip
"""The clause, and a column that is near to it and keeps it."""


def named(case: tuple[str, str, Sequence[Any]]) -> str:
    return f"{case[0]}-{case[1]}"


@pytest.mark.parametrize("case", BROKEN, ids=named)
def test_a_column_of_a_class_fails_its_clause_and_no_other(
    tmp_path: Path, case: tuple[str, str, Sequence[Any]]
) -> None:
    """Whatever the policy calls it: the released values are looked at. No value is told."""
    letter, name, values = case
    found = failed(evidence_of(tmp_path, {name: values}))
    assert set(found) == {letter}
    (reason,) = found[letter]
    assert name in reason
    assert not [text for text in map(str, values) if len(text) > 5 and text in reason and text != "none"]


@pytest.mark.parametrize("case", KEPT, ids=named)
def test_a_column_that_is_near_to_a_class_passes(
    tmp_path: Path, case: tuple[str, str, Sequence[Any]]
) -> None:
    """A check that refuses everything teaches people to switch it off."""
    assert failed(evidence_of(tmp_path, {case[1]: case[2]})) == {}


def test_every_clause_is_broken_and_kept_by_a_test_above() -> None:
    """All eighteen."""
    letters = [clause.letter for clause in HIPAA_SAFE_HARBOR.clauses if clause.letter != "ii"]
    assert sorted({case[0] for case in BROKEN}) == sorted({case[0] for case in KEPT}) == letters
    assert len(letters) == 18


@pytest.mark.parametrize("written", [("csv",), ("csv", "parquet")])
def test_the_format_of_the_release_does_not_matter(tmp_path: Path, written: tuple[str, ...]) -> None:
    """A CSV holds text, in which a date is a date all the same."""
    columns = {"admitted": [dt.date(2008, 1 + i % 12, 3) for i in EACH], "age": [34, 93] * 20}
    evidence = evidence_of(tmp_path, columns, formats=written)
    assert len(failed(evidence)["C"]) == 2


# --- the treatment decides where codes stand

KEYED = {
    "pseudonymize": {"technique": "pseudonymize", "key": "k"},
    "encrypt": {"technique": "encrypt", "key": "k"},
    "encrypt_format": {"technique": "encrypt_format", "key": "k"},
}


@pytest.mark.parametrize("name", KEYED)
def test_codes_derived_from_an_identifier_fail_the_last_class_alone(tmp_path: Path, name: str) -> None:
    """They look like telephone numbers and are none; but 164.514(c)(1) permits no code that is derived."""
    phones = digits("(312) 5##-####")
    treated = {"phone": {"role": "direct_identifier", "treat": KEYED[name]}}
    assert failed(evidence_of(tmp_path, {"phone": phones}, treated)) == {
        "R": (
            (
                f"phone: codes derived from the individual's information ({name}), which 164.514(c) does not permit;"
                " suppress it, or use random tokens"
            ),
        )
    }


def stepped(folder: Path, name: str, values: Sequence[Any], technique: str) -> Case:
    """The case of one column that a technique of this name has treated, whatever its settings are."""
    case = case_of(evidence_of(folder, {name: values}), {}, 2026)
    (column,) = [column for column in case.columns if column.name == name]
    step = SimpleNamespace(technique=technique)
    treated = replace(column, policy=column.policy.model_copy(update={"treat": (step,)}))
    return replace(case, columns=(treated,))


def test_tokens_drawn_at_random_pass(tmp_path: Path) -> None:
    """164.514(c) permits a code that nothing of the individual went into, whatever it looks like."""
    case = stepped(tmp_path, "mrn", digits("M#######"), "tokenize")
    found = {letter: check(case) for letter, check in ON_COLUMNS["hipaa_safe_harbor"].items()}
    assert {ruling.verdict for letter, ruling in found.items() if letter != "ii"} == {"pass"}
    assert found["R"].looked_at.endswith("; mrn: random tokens, as 164.514(c) permits")


def test_the_technique_of_random_tokens_is_the_one_that_passes(tmp_path: Path) -> None:
    """A technique that was renamed would be refused, or another one of its name let through."""
    names = {get_args(model.model_fields["technique"].annotation)[0] for model in TECHNIQUES}
    assert names >= RANDOM
    treated = {"mrn": {"role": "direct_identifier", "treat": {"technique": "tokenize", "key": "k"}}}
    assert failed(evidence_of(tmp_path, {"mrn": digits("T#######")}, treated)) == {}


def test_shifted_dates_are_no_years(tmp_path: Path) -> None:
    """A date that was moved still has a day; so do shifted dates as text. Cut to the year it passes."""
    check = ON_COLUMNS["hipaa_safe_harbor"]["C"]
    days = [dt.date(2008, 1 + i % 12, 3) for i in EACH]
    assert check(stepped(tmp_path / "days", "seen", days, "shift_dates")).reasons == (
        "seen: shifted dates are dates all the same (days); generalize them to the year",
    )
    years = stepped(tmp_path / "years", "seen", ["2008", "2009"] * 20, "shift_dates")
    assert check(years).verdict == "pass"


@pytest.mark.parametrize(
    ("letter", "name", "before", "after", "treat"),
    [
        ("G", "ssn", digits("###-##-####"), ["****1234", "****5678"] * 20, {"technique": "mask", "keep_last": 4}),
        ("A", "given_name", ["Mary", "John"] * 20, ["M****", "J****"] * 20, {"technique": "mask", "keep_first": 1}),
        ("H", "mrn", digits("M#######"), ["****11", "****22"] * 20, {"technique": "mask", "keep_last": 2}),
        ("R", "study_code", digits("XK#######"), ["****11", "****22"] * 20, {"technique": "mask", "keep_last": 2}),
    ],
)  # fmt: skip
def test_parts_of_an_identifier_count_as_the_identifier(
    tmp_path: Path, letter: str, name: str, before: Sequence[Any], after: Sequence[Any], treat: dict[str, Any]
) -> None:
    """Initials and the last four digits are named in the guidance of 2012, on parts or derivatives."""
    evidence = evidence_of(
        tmp_path, {name: after}, {name: {"role": "direct_identifier", "treat": treat}}, {name: before}
    )
    assert set(failed(evidence)) == {letter}


def test_what_the_policy_calls_a_direct_identifier_does_not_leave_as_something_else(tmp_path: Path) -> None:
    """Whoever wrote the policy knows more than a look at the values shows."""
    treat = {"technique": "generalize", "level": "value", "hierarchy": {"kind": "flat"}}
    evidence = evidence_of(
        tmp_path, {"x": ["a", "b"] * 20}, {"x": {"role": "direct_identifier", "treat": treat}}
    )
    assert failed(evidence) == {
        "R": ("x: the policy calls it a direct identifier, and it leaves; suppress it",)
    }


def test_ninety_stands_for_older_people_only_where_the_policy_puts_them_there(tmp_path: Path) -> None:
    """The number 90 alone may be somebody's age, which is over 89."""
    ages = {"age": [34, 90] * 20}
    top = {"age": {"type": "integer", "treat": {"technique": "top_bottom_code", "top": 90}}}
    assert set(failed(evidence_of(tmp_path / "as it is", ages))) == {"C"}
    assert failed(evidence_of(tmp_path / "coded", ages, top)) == {}


def test_places_that_became_regions_need_a_human(tmp_path: Path) -> None:
    """Whether the Midwest is larger than a state no program knows."""
    treat = {
        "technique": "generalize", "level": "level 1",
        "hierarchy": {"kind": "groups", "named": ({"north": ("Chicago",), "south": ("Houston",)},)},
    }  # fmt: skip
    cities = [name.title() for name in CITIES]
    evidence = evidence_of(
        tmp_path, {"city": ["north", "south"] * 20}, {"city": {"treat": treat}}, {"city": cities}
    )
    ruling = rulings(evidence)["B"]
    assert ruling.verdict == "needs a human"
    assert ruling.reasons == (
        "city was made of city or quarter: its regions must not be smaller than a state",
    )


def test_a_measure_that_is_different_for_everybody_needs_a_human(tmp_path: Path) -> None:
    """Decimals are seldom known to anybody; a release cannot be refused for every laboratory value."""
    ruling = rulings(evidence_of(tmp_path, {"hematocrit": [round(30 + i * 0.37, 2) for i in EACH]}))["R"]
    assert ruling.verdict == "needs a human"
    assert ruling.reasons == (
        "hematocrit: almost everybody has a measure that nobody else has; it must not be known elsewhere",
    )


# --- structures, texts, and nothing at all


@pytest.mark.parametrize("values", [[["a"]] * PEOPLE, [b"\x00"] * PEOPLE, [{"a": 1}] * PEOPLE])
def test_what_nobody_can_look_into_fails_every_clause(tmp_path: Path, values: Sequence[Any]) -> None:
    """A list or some bytes may hold a name, a fingerprint and a face."""
    assert len(failed(evidence_of(tmp_path, {"payload": values}))) == 18


def test_untreated_text_fails_every_clause_that_text_may_break(tmp_path: Path) -> None:
    """All but fingerprints and faces."""
    texts = [f"The patient in bed {i} slept well and ate her soup without any complaint" for i in EACH]
    found = failed(evidence_of(tmp_path, {"remark": texts}))
    assert "".join(found) == "ABCDEFGHIJKLMNOR"
    assert found["A"] == (
        "remark is free text, which may hold names; treat it with deidentify_text, or suppress it",
    )


@pytest.mark.parametrize("rows", [0, 1])
def test_an_empty_release_passes_and_one_row_is_looked_at(tmp_path: Path, rows: int) -> None:
    """Nothing is told by nothing; one row tells as much as many."""
    columns = {
        "admitted": pl.Series([dt.date(2008, 3, 4)][:rows], dtype=pl.Date),
        "email": pl.Series(["smith@example.org"][:rows], dtype=pl.String),
    }
    assert "".join(failed(evidence_of(tmp_path, columns, harmless=False))) == ("CF" if rows else "")


def test_names_of_any_script_and_missing_values_are_no_obstacle(tmp_path: Path) -> None:
    """José and Łukasz are names; a missing one is none."""
    names = ["José", "Łukasz", "Zoë", "Müller", None] * 8
    assert set(failed(evidence_of(tmp_path, {"patient_name": names}))) == {"A"}


def test_few_rows_with_an_identifier_are_not_counted_out(tmp_path: Path) -> None:
    """That one row has it is enough to know; which number of rows below eleven points at people."""
    values = ["none"] * 38 + ["smith@example.org"] * 2
    (reason,) = failed(evidence_of(tmp_path, {"code": values}))["F"]
    assert reason == "code holds e-mail addresses: e-mail addresses in fewer than 11 rows"


def test_a_column_that_nothing_has_looked_at_stops_the_judgement(tmp_path: Path) -> None:
    """It would pass every clause."""
    evidence = evidence_of(tmp_path, {})
    del evidence.seen["sex"]  # type: ignore[attr-defined]
    with pytest.raises(IntegrityError) as caught:
        judge(evidence, NOTHING, {})
    assert str(caught.value) == (
        "column sex: nothing has looked at the released values, so that no clause can be judged"
    )


def test_what_somebody_knows_is_left_to_whoever_signs(tmp_path: Path) -> None:
    """45 CFR 164.514(b)(2)(ii)."""
    assert rulings(evidence_of(tmp_path, {}))["ii"].verdict == "needs a human"


# --- the packs


def test_every_clause_of_every_pack_has_its_check() -> None:
    """A clause without a check would pass by being forgotten."""
    checks: dict[str, Any] = {**ON_COLUMNS, **ON_MEASURES}
    assert set(checks) == {pack.name for pack in PACKS}
    assert {pack.name for pack in PACKS if pack.columns} == set(ON_COLUMNS)
    for pack in PACKS:
        assert list(checks[pack.name]) == [clause.letter for clause in pack.clauses] or pack.columns
        assert set(checks[pack.name]) == {clause.letter for clause in pack.clauses}
        assert all(clause.citation for clause in pack.clauses)


def test_every_kind_of_identifier_that_the_classifier_knows_has_its_clause() -> None:
    """Kinds carry the letter of the rule; a new one must not be overlooked here."""
    for kind in KINDS.values():
        letter = kind.rule.rpartition("(")[2].rstrip(")")
        if letter in SORTS:
            assert kind.name in SORTS[letter].kinds | {"other_code"}, kind.name
        elif letter == "B":
            assert kind.name in PLACES | {"postcode"}, kind.name
        elif kind.rule:
            assert kind.name in ELSEWHERE | {"age"}, kind.name
