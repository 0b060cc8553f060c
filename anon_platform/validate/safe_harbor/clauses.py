"""The 18 classes of 45 CFR 164.514(b)(2)(i) and the knowledge of (ii), each checked on the bytes that leave.

Codes. Clause (R) excepts only what 164.514(c)(1) permits: a code that is "not derived from or related to information
about the individual". Keyed hashes and encryption are computed from the individual's information, so they fail (R). This
is the strict reading: the guidance of 2012 speaks of values derived by cryptographic hash functions under the method of
expert determination, with keys that are not disclosed (question 2.9), and permits none of them under Safe Harbor. Tokens
drawn at random, whose table stays inside, pass. Parts of an identifier, such as initials or the last four digits of a
social security number, count as the identifier (the same guidance, on parts or derivatives of the listed identifiers):
masks and prefixes of one fail its clause.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from anon_platform.validate.ruling import Ruling, ruled
from anon_platform.validate.safe_harbor.case import ENOUGH_PEOPLE, NEAR_UNIQUE, Case, Released
from anon_platform.validate.safe_harbor.dates import DATES, age_reasons, date_reasons
from anon_platform.validate.safe_harbor.identifiers import (
    PROSE,
    Sort,
    looked_at,
    reasons_of,
    removed,
    untreated_prose,
)
from anon_platform.validate.safe_harbor.places import (
    PLACES,
    of_postcodes,
    place_reasons,
    postcode_reasons,
)


def _of(what: str, *kinds: str, carried: str = "", labels: str = "", in_text: bool = True) -> Sort:
    carries = frozenset(filter(None, carried.split(", ")))
    return Sort(what, frozenset(kinds), carries, frozenset(labels.split()), in_text)


_SORTS: dict[str, Sort] = {
    "A": _of(
        "names", "person_name", "given_name", "family_name", "middle_name", "name_affix", labels="PERSON"
    ),
    "D": _of("telephone numbers", "phone", carried="telephone numbers", labels="PHONE_NUMBER"),
    "E": _of("fax numbers", "fax", labels="PHONE_NUMBER"),
    "F": _of("e-mail addresses", "email", carried="e-mail addresses", labels="EMAIL_ADDRESS"),
    "G": _of("social security numbers", "ssn", carried="social security numbers", labels="US_SSN"),
    "H": _of(
        "medical record numbers",
        "medical_record_number",
        carried="record numbers",
        labels="MEDICAL_RECORD_NUMBER",
    ),
    "I": _of("health plan numbers", "health_plan_number", labels="ID"),
    "J": _of("account numbers", "account_number", labels="US_BANK_NUMBER CREDIT_CARD IBAN_CODE ID"),
    "K": _of("certificate or license numbers", "licence_number", labels="US_DRIVER_LICENSE ID"),
    "L": _of("vehicle identifiers", "vehicle_id", labels="ID"),
    "M": _of("device identifiers", "device_id", "mac_address", labels="MAC_ADDRESS ID"),
    "N": _of("web addresses", "url", carried="web addresses", labels="URL"),
    "O": _of("IP addresses", "ip_address", carried="network addresses", labels="IP_ADDRESS"),
    "P": _of("biometric identifiers", "biometric", in_text=False),
    "Q": _of("photographs", "photo", in_text=False),
    "R": _of("unique numbers or codes", "national_id", "user_name", "person_key", "row_key", labels="ID US_PASSPORT"),
}  # fmt: skip

SURE = frozenset[str]().union(*(sort.kinds for sort in _SORTS.values()), PLACES) - {"row_key"}
"""Kinds that fail the clause of their own for sure."""

SORTS = {letter: replace(sort, others=SURE - sort.kinds) for letter, sort in _SORTS.items()}
"""By letter what has to be gone altogether; (B) and (C) have rules of their own."""

PLACE = _of("places", *PLACES, labels="LOCATION")
DATE = _of("dates", *DATES, labels="DATE_TIME AGE")

ELSEWHERE = frozenset[str]().union(
    *(sort.kinds for letter, sort in SORTS.items() if letter != "R"), PLACES, DATES, PROSE, {"postcode"}
)
"""Kinds that another clause judges, so that (R) need not."""

KNOWN_LABELS = frozenset[str]().union(
    *(sort.labels for sort in SORTS.values()), PLACE.labels, DATE.labels, {"ORGANIZATION"}
)
"""What is found in notes and has a clause of its own; anything else is a code of clause (R)."""


def names(case: Case) -> Ruling:
    """(A): names; organizations that notes speak of are for a reader, for one may be somebody's employer."""
    found = removed(case, SORTS["A"])
    if found.verdict == "fail":
        return found
    return ruled(found.looked_at, [], [*found.reasons, *case.notes.doubts(frozenset({"ORGANIZATION"}))])


def geography(case: Case) -> Ruling:
    """(B): no place smaller than a state, and of ZIP codes the three digits of prefixes with enough people."""
    failing: list[str] = []
    unsure: list[str] = []
    zips = 0
    for column in case.plain():
        if of_postcodes(column):
            zips += 1
            failing += postcode_reasons(column)
            continue
        wrong, doubtful = place_reasons(column)
        failing += wrong or _prose(column, PLACE)
        unsure += doubtful
    told = f"{looked_at(case, PLACE)}; {zips} of postcodes against the 2010 census"
    unsure += case.notes.doubts(PLACE.labels)
    return ruled(told, [*failing, *case.notes.reasons(PLACE.labels)], unsure)


def dates_and_ages(case: Case) -> Ruling:
    """(C): of dates the year only, ages over 89 in one group, no year of birth that tells such an age."""
    failing = [reason for column in case.plain() for reason in _of_time(column, case.year)]
    told = f"{looked_at(case, DATE)}; every distinct value for days, months, quarters and ages over 89"
    return ruled(told, [*failing, *case.notes.reasons(DATE.labels)], case.notes.doubts(DATE.labels))


def _of_time(column: Released, year: int) -> list[str]:
    prose = _prose(column, DATE)
    return prose or [*date_reasons(column), *age_reasons(column, year)]


def _prose(column: Released, sort: Sort) -> list[str]:
    """Why a text that nothing has searched fails."""
    return list(reasons_of(column, sort)) if untreated_prose(column) else []


def other_unique(case: Case) -> Ruling:
    """(R): no code derived from the individual, no key, nothing that only one person has."""
    sort = SORTS["R"]
    failing = [reason for column in case.columns for reason in _codes(column)]
    failing += [reason for column in case.plain() for reason in _unique(column)]
    labels = sort.labels | (case.notes.labels - KNOWN_LABELS)
    failing += case.notes.reasons(labels)
    unsure = [
        f"{column.name}: almost everybody has a measure that nobody else has; it must not be known elsewhere"
        for column in case.plain()
        if column.content.decimals and not _judged_elsewhere(column) and column.singles_out
    ]
    unsure += case.notes.doubts(labels)
    tokens = [column.name for column in case.columns if column.random]
    told = f"{looked_at(case, sort)}; how many people are alone with a value"
    return ruled(told + (f"; {', '.join(tokens)}: random tokens, as 164.514(c) permits" if tokens else ""), failing, unsure)  # fmt: skip


def _codes(column: Released) -> Iterator[str]:
    """Codes that are computed from the original under a key."""
    if column.derived:
        yield (
            f"{column.name}: codes derived from the individual's information ({', '.join(column.techniques)}), which"
            " 164.514(c) does not permit; suppress it, or use random tokens"
        )
    elif column.searched_text and any(getattr(step, "key", None) for step in column.policy.treat):
        yield (
            f"{column.name}: surrogates of numbers are derived from the numbers under a key; write replace_by: type"
        )


def _unique(column: Released) -> Iterator[str]:
    """Keys, and columns in which almost nobody shares a value; at most one reason."""
    content, before = column.content, column.seen.original
    found = list(reasons_of(column, SORTS["R"]))
    # stay and visit name events as well as their keys
    if found and (content.kind != "row_key" or column.alone >= NEAR_UNIQUE):
        yield from found
    elif _judged_elsewhere(column):
        return
    elif _masked_code(column):
        yield f"{column.name}: a part of a code that is different in almost every row; suppress it"
    elif content.kind == "other_code" or (not content.decimals and column.singles_out):
        yield f"{column.name}: almost everybody has a value that nobody else has; suppress it, or generalize it"
    elif column.policy.role == "direct_identifier" and before.kind not in ELSEWHERE and content.distinct > 1:
        yield f"{column.name}: the policy calls it a direct identifier, and it leaves; suppress it"


def _masked_code(column: Released) -> bool:
    before, rows = column.seen.original, len(column.people)
    unique = before.distinct >= max(NEAR_UNIQUE * rows, ENOUGH_PEOPLE)
    return (
        "mask" in column.techniques
        and unique
        and before.kind not in ELSEWHERE
        and column.content.distinct > 1
    )


def _judged_elsewhere(column: Released) -> bool:
    seen = {column.content.kind, *column.content.by_values}
    return bool(seen & ELSEWHERE) or untreated_prose(column) is not None


def actual_knowledge(case: Case) -> Ruling:
    """(ii): what somebody knows no program can tell."""
    del case
    return Ruling(
        "needs a human",
        "nothing: no program knows what somebody knows",
        (
            "whoever signs knows of nothing by which what is left could identify somebody, alone or with other information",
        ),
    )


def _sort_check(sort: Sort) -> Callable[[Case], Ruling]:
    return lambda case: removed(case, sort)


CHECKS: Mapping[str, Callable[[Case], Ruling]] = {
    **{letter: _sort_check(sort) for letter, sort in SORTS.items()},
    "A": names,
    "B": geography,
    "C": dates_and_ages,
    "R": other_unique,
    "ii": actual_knowledge,
}
"""By the clause's letter what checks it."""
