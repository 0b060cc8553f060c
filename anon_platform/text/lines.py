"""One note a line: reading it, and writing what was found."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from anon_platform.text.finder import Finder, Note
from anon_platform.text.spans import Span

Records = Mapping[str, Mapping[str, object]]
"""What is known of each patient from all rows, by patient."""


class BadLineError(ValueError):
    """A line is not a note; the text says why and holds nothing of the line."""


@dataclass(frozen=True)
class Line:
    """id: as given, any JSON value. patient: None if the line names none."""

    id: object
    note: Note
    patient: str | None


def parsed(raw: bytes) -> Line:
    """The note of a line `{"id": …, "text": …}`, with `record` and `patient` where given; raises BadLineError."""
    try:
        value = json.loads(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise BadLineError("is not UTF-8") from None
    except (ValueError, RecursionError):
        raise BadLineError("is not JSON") from None
    if not isinstance(value, dict) or "id" not in value:
        raise BadLineError("is no object with an id")
    text, record, patient = value.get("text"), value.get("record") or {}, value.get("patient")
    if text is not None and not isinstance(text, str):
        raise BadLineError("has a text that is no string")
    if not isinstance(record, dict):
        raise BadLineError("has a record that is no object")
    return Line(value["id"], Note(text, record), None if patient is None else str(patient))


def written(line: Line, spans: Iterable[Span]) -> str:
    """The line of what was found, without the text."""
    found = [{**span._asdict(), "score": round(span.score, 2)} for span in spans]
    return json.dumps({"id": line.id, "spans": found}) + "\n"


def answered(
    finder: Finder, numbered: Sequence[tuple[int, bytes]], records: Records
) -> tuple[str, list[tuple[int, str]]]:
    """The output lines of a batch, in order, and number and fault of each bad line."""
    good: list[Line] = []
    bad: list[tuple[int, str]] = []
    for number, raw in numbered:
        if not raw.strip():
            continue
        try:
            good.append(parsed(raw))
        except BadLineError as fault:
            bad.append((number, str(fault)))
    notes = [Note(line.note.text, _known(line, records)) for line in good]
    found = finder.find(notes)
    return "".join(map(written, good, found)), bad


def _known(line: Line, records: Records) -> Mapping[str, object]:
    """The line's own record, and what the patient's other lines say."""
    others = records.get(line.patient or "", {})
    if not others:
        return line.note.record
    return {**{f"{column}_other": value for column, value in others.items()}, **line.note.record}


def merged_records(lines: Iterable[bytes]) -> dict[str, dict[str, list[object]]]:
    """All values of each patient's records, by patient and column; lines that are bad are left to the reading."""
    records: dict[str, dict[str, list[object]]] = {}
    for raw in lines:
        if b'"patient"' not in raw or b'"record"' not in raw:
            continue
        try:
            line = parsed(raw)
        except BadLineError:
            continue
        if line.patient is None:
            continue
        known = records.setdefault(line.patient, {})
        for column, value in line.note.record.items():
            values = known.setdefault(column, [])
            if value is not None and value not in values:
                values.append(value)
    return records
