"""The sample in Label Studio's task format, and its exported annotations as marks.

Tasks, predictions and annotations: https://labelstud.io/guide/task_format and https://labelstud.io/guide/predictions.
Label Studio counts offsets in code points (HumanSignal/label-studio-frontend pull request 308, which closes issue 1008);
before, it counted UTF-16 units as the browser does (issue 1347). An export says the text of each span, so that either is told.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from anon_platform.errors import SourceError
from anon_platform.review.drawing import Drawn
from anon_platform.review.marks import LABEL, Marks, NoteMarks
from anon_platform.review.page import LABELS
from anon_platform.review.sample import Mark, Sample, SampledNote, kept_sample
from anon_platform.text.spans import trimmed

FROM, TO = "label", "text"


def tasks(drawn: Drawn) -> str:
    """The JSON text of all tasks: the note, its number, and what was found as a prediction."""
    made = []
    for number, (text, note) in enumerate(zip(drawn.texts, drawn.sample.notes, strict=True), 1):
        result = [
            {
                "id": f"n{number}s{start}",
                "from_name": FROM,
                "to_name": TO,
                "type": "labels",
                "value": {"start": start, "end": end, "text": text[start:end], "labels": [label]},
            }
            for start, end, label in note.found
        ]
        made.append(
            {
                "data": {"text": text, "note": number, "sample": drawn.sample.id},
                "predictions": [{"model_version": "anon_platform", "result": result}],
            }
        )
    return json.dumps(made, ensure_ascii=True, indent=1)


def labelling_config(sample: Sample) -> str:
    """The XML to paste below Labeling Interface, Code."""
    found = {label for note in sample.notes for *_, label in note.found}
    labels = "\n".join(
        f'    <Label value="{escape(label)}"/>' for label in [*LABELS, *sorted(found - set(LABELS))]
    )
    return (
        # without the style blanks and line breaks are shown as one blank, and their offsets are others
        f"<View>\n  <Style>.htx-text{{white-space: pre-wrap;}}</Style>\n"
        f'  <Labels name="{FROM}" toName="{TO}">\n{labels}\n  </Labels>\n'
        f'  <Text name="{TO}" value="$text" granularity="symbol"/>\n</View>\n'
    )


def marks_of(exported: Sequence[Any]) -> list[Marks]:
    """The marks of every annotator in an export (JSON), who may have done some notes only; another file raises `SourceError`.

    A find that no annotation touches is wrong; what finds do not cover of an annotation was missed.
    """
    try:
        return list(_marks(exported))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        pass
    raise SourceError(
        "this is no export of a sample's tasks from Label Studio; export the project as JSON, with all its data"
    )


def _marks(exported: Sequence[Any]) -> Iterator[Marks]:
    named = {task["data"]["sample"] for task in exported}
    if len(named) != 1:
        raise ValueError("tasks of several samples, or none")
    sample = kept_sample(named.pop())
    by_annotator: dict[str, dict[str, NoteMarks]] = {}
    for task in exported:
        number, text = int(task["data"]["note"]), task["data"]["text"]
        note = sample.notes[number - 1]
        if number < 1 or len(text) != note.length:
            raise ValueError("not the note that was drawn")
        for annotation in task["annotations"]:
            if not annotation["was_cancelled"]:
                spans = [_span(text, result) for result in annotation["result"] if result["type"] == "labels"]
                done = by_annotator.setdefault(_annotator(annotation["completed_by"]), {})
                done[str(number)] = compared(text, note, spans)
    for annotator, notes in by_annotator.items():
        yield Marks(format=1, sample=sample.id, reviewer=annotator, notes=notes)


def _annotator(by: object) -> str:
    """Label Studio exports the annotator's number, or an object with it."""
    return f"Label Studio user {by['id'] if isinstance(by, Mapping) else by}"


def _span(text: str, result: Mapping[str, Any]) -> Mark:
    value = result["value"]
    start, end, [label] = int(value["start"]), int(value["end"]), value["labels"]
    if not LABEL.fullmatch(label):
        raise ValueError("a label of another form")
    said = value["text"]
    if text[start:end] != said:
        units = text.encode("utf-16-le")
        if units[2 * start : 2 * end].decode("utf-16-le", "replace") != said:
            raise ValueError("a span that is not where it says")
        start, end = (len(units[: 2 * at].decode("utf-16-le")) for at in (start, end))
    return start, end, label


def compared(text: str, note: SampledNote, spans: Sequence[Mark]) -> NoteMarks:
    """An annotator's spans as marks of what was found and missed."""
    touched = {
        (first, last): [label for start, end, label in spans if start < last and first < end]
        for first, last, _ in note.found
    }
    missed: list[Mark] = []
    for start, end, label in sorted(spans):
        taken = [find for find, labels in touched.items() if labels] + [mark[:2] for mark in missed]
        missed += [(*part, label) for part in _beside(text, (start, end), sorted(taken))]
    return NoteMarks(
        done=True,
        wrong=tuple(find for find, labels in touched.items() if not labels),
        right_type=tuple(
            (first, last, touched[first, last][0])
            for first, last, label in note.found
            if touched[first, last] and label not in touched[first, last]
        ),
        missed=tuple(missed),
    )


def _beside(text: str, span: tuple[int, int], taken: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The parts of a span that no other covers, without blanks at their ends."""
    at, end = span
    for first, last in [*taken, (end, end)]:
        if last <= at and first < end:
            continue
        part = trimmed(text, at, min(max(first, at), end))
        if any(map(str.isalnum, text[part[0] : part[1]])):
            yield part
        at = max(at, last)
        if at >= end:
            return
