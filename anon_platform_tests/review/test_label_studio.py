"""Label Studio's tasks and exports: the format of its documentation, offsets in code points and in UTF-16 units."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from anon_platform.errors import SourceError
from anon_platform.review.drawing import Drawn
from anon_platform.review.label_studio import compared, labelling_config, marks_of, tasks
from anon_platform.review.measured import read_any_marks
from anon_platform.review.sample import Sample, SampledNote, Stratum

TEXT = "😷 Mary met 🎉 Hope Wu at Rush."
MARY, HOPE, RUSH = (2, 6), (13, 20), (24, 28)


@pytest.fixture
def drawn() -> Drawn:
    """One note, kept as a sample."""
    assert [TEXT[start:end] for start, end in (MARY, HOPE, RUSH)] == ["Mary", "Hope Wu", "Rush"]
    note = SampledNote(stratum=0, length=len(TEXT), found=((*MARY, "PERSON"), (*RUSH, "LOCATION")))
    sample = Sample(
        dataset="visits", settings="a" * 64, fingerprint="b" * 64, confidence=0.95, seed=1,
        strata=(Stratum(notes=1, drawn=1),), notes=(note,),
    )  # fmt: skip
    sample.keep()
    return Drawn(sample, (TEXT,), 1, 368)


def exported(drawn: Drawn, *spans: tuple[int, int, str, str], by: object = 7, **annotation: Any) -> list[Any]:
    """What Label Studio exports of the tasks with one annotation. spans: start, end, label, text."""
    [task] = json.loads(tasks(drawn))
    result = [
        {"id": "x", "from_name": "label", "to_name": "text", "type": "labels", "origin": "manual",
         "value": {"start": start, "end": end, "text": text, "labels": [label]}}
        for start, end, label, text in spans
    ]  # fmt: skip
    done = {"id": 1, "completed_by": by, "result": result, "was_cancelled": False, "ground_truth": False}
    return [task | {"id": 5, "annotations": [done | annotation]}]


def test_tasks_have_what_the_documentation_asks_for(drawn: Drawn) -> None:
    """Predictions name the tags of the labelling configuration."""
    [task] = json.loads(tasks(drawn))
    assert task["data"] == {"text": TEXT, "note": 1, "sample": drawn.sample.id}
    [first, _] = task["predictions"][0]["result"]
    assert first["value"] == {"start": 2, "end": 6, "text": "Mary", "labels": ["PERSON"]}
    view = ET.fromstring(labelling_config(drawn.sample))  # noqa: S314 - our own text
    labels = view.find("Labels")
    assert labels is not None
    assert (labels.get("name"), labels.get("toName")) == (first["from_name"], first["to_name"])
    assert view.find("Text").get("value") == "$text"  # type: ignore[union-attr]
    assert {"PERSON", "LOCATION"} <= {label.get("value") for label in labels}


@pytest.mark.parametrize("units", [0, 1])
@pytest.mark.parametrize("by", [7, {"id": 7, "email": "a@b.example"}])
def test_annotations_become_marks_in_either_way_of_counting(drawn: Drawn, units: int, by: object) -> None:
    """Behind the first emoji UTF-16 counts one more, behind the second two."""
    spans = ((2 + units, 6 + units, "ID", "Mary"), (13 + 2 * units, 20 + 2 * units, "PERSON", "Hope Wu"))
    [marks] = marks_of(exported(drawn, *spans, by=by))
    assert marks.reviewer == "Label Studio user 7"
    assert marks.of(1).missed == ((*HOPE, "PERSON"),)
    assert marks.of(1).right_type == ((*MARY, "ID"),)
    assert marks.of(1).wrong == (RUSH,)


def test_a_longer_annotation_misses_what_the_find_left(drawn: Drawn) -> None:
    """The find stays right; only what it does not cover was missed."""
    note = drawn.sample.notes[0]
    found = compared(TEXT, note, [(2, 20, "PERSON"), (22, 28, "LOCATION")])
    assert found.missed == ((7, 20, "PERSON"), (22, 23, "LOCATION"))
    assert found.wrong == ()


def test_exports_of_something_else_are_refused(drawn: Drawn, tmp_path: Path) -> None:
    """Cancelled annotations are none; a span that is not where it says is believed in neither way."""
    said = "this is no export of a sample's tasks from Label Studio; export the project as JSON, with all its data"
    for bad in (
        [],
        [{"data": {}}],
        exported(drawn, (3, 9, "PERSON", "Bob")),
        exported(drawn, (2, 6, "<x>", "Mary")),
    ):
        with pytest.raises(SourceError) as error:
            marks_of(bad)
        assert str(error.value) == said
    file = tmp_path / "export.json"
    file.write_text(json.dumps(exported(drawn, was_cancelled=True)))
    with pytest.raises(SourceError) as error:
        read_any_marks(file)
    assert str(error.value) == f"{file} has no annotation; submit them in Label Studio and export again"
