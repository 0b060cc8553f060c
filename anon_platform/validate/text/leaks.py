"""What the released text still says of what its own row holds: looked for in plain text, without the finder."""

import re
from collections.abc import Callable, Iterator

from anon_platform.anonymize import DeidentifyText, OfRecords
from anon_platform.table import PERSON, ROW, with_other_rows
from anon_platform.validate.evidence import Evidence
from anon_platform.validate.files import read_released
from anon_platform.validate.metric import Metric, most

LEAST = 2
"""Characters of a value without digits that is looked for …"""

LEAST_CODE = 4
"""… and of one with digits: shorter ones occur by chance."""

LONG_NUMBER = 9
"""Digits that are looked for whatever stands between them; fewer in a row occur by chance in a long text."""

_NAME = "own identifiers left in "

_BETWEEN = re.compile(r"[\W_]+")
_DIGITS = re.compile(r"\D+")


def measure_text_leaks(evidence: Evidence) -> list[Metric]:
    """For each de-identified text column how many notes say a value of their own row: none may."""
    found = []
    for name in evidence.policy.released:
        for step in evidence.policy.columns[name].treat:
            if isinstance(step, OfRecords) and step.known_from:
                leaks = sum(_leaks(evidence, name, step))
                metric = most("text_deidentification", _NAME + name, float(leaks), 0.0, "notes")
                found.append(metric)
    return found


def leaks_by_column(metrics: list[Metric]) -> dict[str, float]:
    """By text column how many notes say a value of their own row. metrics: of `measure_text_leaks`."""
    return {metric.name.removeprefix(_NAME): metric.value or 0.0 for metric in metrics}


def _leaks(evidence: Evidence, name: str, step: OfRecords) -> Iterator[int]:
    """Batch by batch the notes that say something of what their row holds, or another row of the same person."""
    known = [column for column in step.known_from if column != name]
    plain = _without_types(step)
    released = read_released(evidence.data, [name]).with_columns(evidence.kept[ROW]).drop_nulls(name)
    others = with_other_rows(evidence.source, known)
    for batch in evidence.source.batches([ROW, PERSON, *known]):
        rows = others.joined(released.join(batch, on=ROW, how="inner"))
        texts = [None if text is None else plain(text) for text in rows[name].to_list()]
        columns = [rows[column].to_list() for column in known]
        yield sum(
            text is not None and any(says(text, value) for several in values for value in several)
            for text, *values in zip(texts, *columns, strict=True)
        )


def _without_types(step: OfRecords) -> Callable[[str], str]:
    """What takes the types out of a note, which are no values of its row; surrogates stay as they are."""
    if not isinstance(step, DeidentifyText) or step.replace_by != "type":
        return lambda text: text
    from anon_platform.text.replace import without_types

    settings = step.search()
    return lambda text: without_types(text, settings)


def says(text: str, value: str) -> bool:
    """Whether the text has the value as whole words, in any case and with anything between them; or a long number.

    >>> says("seen by J. O'Neill, call (312) 555-0199", "o'neill"), says("call 312 555 01 99", "312-555-0199")
    (True, True)
    >>> says("a smith's job", "Smi")
    False
    """
    letters = sum(map(str.isalnum, value))
    digits = _DIGITS.sub("", value)
    if letters >= (LEAST_CODE if digits else LEAST) and _plain(value) in _plain(text):
        return True
    return len(digits) >= LONG_NUMBER and digits in _DIGITS.sub("", text)


def _plain(text: str) -> str:
    return " " + _BETWEEN.sub(" ", text).strip().casefold() + " "
