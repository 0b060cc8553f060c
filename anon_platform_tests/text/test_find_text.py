"""`anon find-text` and `anon evaluate-text` as they are typed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from anon_platform.errors import PolicyError
from anon_platform.text import Note
from anon_platform.text.finder import Finder
from anon_platform.text.language import language
from anon_platform.text.making import finder_of
from anon_platform.text.presidio import as_recognizer
from anon_platform.text.settings import CustomRecognizer, TextSettings, load_settings
from anon_platform_tests.typed import Typed

SECRET = "Quillfeather"  # noqa: S105 - a name that must not be said


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """A file of lines."""

    def write(*lines: object) -> Path:
        path = tmp_path / "in.jsonl"
        raw = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
        path.write_bytes(b"\n".join(raw) + b"\n")
        return path

    return write


def test_a_line_in_is_a_line_out(typed: Typed, written: Callable[..., Path], tmp_path: Path) -> None:
    """Any id, null and empty notes included; the text itself is not written."""
    source = written(
        {"id": 7, "text": f"Dr. {SECRET} came"},
        {"id": "b", "text": None, "more": 1},
        {"id": None, "text": ""},
    )
    code, _, err = typed("find-text", source, "-o", tmp_path / "out.jsonl", "--no-model")
    text = (tmp_path / "out.jsonl").read_text()
    assert code == 0
    assert [json.loads(line) for line in text.splitlines()] == [
        {"id": 7, "spans": [{"start": 4, "end": 16, "label": "PERSON", "score": 0.85}]},
        {"id": "b", "spans": []},
        {"id": None, "spans": []},
    ]
    assert "NOT found" in err.replace("\n", " "), "that there is no model is said loudly"
    assert SECRET not in text


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b'{"id": 1, "text": "Quillfeather \xff"}', "is not UTF-8"),
        (b'{"id": 1, "text": "Quillfeather', "is not JSON"),
        (b'["Quillfeather"]', "is no object with an id"),
        (b'{"id": 1, "text": ["Quillfeather"]}', "has a text that is no string"),
        (b'{"id": 1, "text": "", "record": "Quillfeather"}', "has a record that is no object"),
    ],
)
def test_a_bad_line_is_named_by_its_number(
    typed: Typed, written: Callable[..., Path], tmp_path: Path, line: bytes, fault: str
) -> None:
    """Nothing is written, nothing of the line is said; asked to, the others are searched."""
    target = tmp_path / "out.jsonl"
    source = written({"id": 0, "text": "a"}, line, {"id": 2, "text": "b"})
    code, out, err = typed("find-text", source, "-o", target, "--no-model")
    assert code == 3
    assert f"line 2 {fault}; mend it, or leave such lines out with --skip-bad" in err.replace("\n", " ")
    assert SECRET not in out + err
    assert not target.exists()
    code, _, err = typed("find-text", source, "-o", target, "--no-model", "--skip-bad")
    assert code == 0
    assert [json.loads(line)["id"] for line in target.read_text().splitlines()] == [0, 2]
    assert f"line 2 {fault}" in err


def test_the_record_and_the_patients_other_records_are_used(
    typed: Typed, written: Callable[..., Path], tmp_path: Path
) -> None:
    """A maiden name stands in an older row."""
    source = written(
        {"id": 1, "text": "xaxa came", "patient": "p", "record": {"family_name": "Xaxa"}},
        {"id": 2, "text": "once xaxa, now yoyo", "patient": "p", "record": {"family_name": "Yoyo"}},
        {"id": 3, "text": "xaxa is a word", "patient": "q", "record": {"family_name": "Zuzu"}},
    )
    assert typed("find-text", source, "-o", tmp_path / "out.jsonl", "--no-model")[0] == 0
    spans = [json.loads(line)["spans"] for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [[(s["start"], s["end"]) for s in found] for found in spans] == [[(0, 4)], [(5, 9), (15, 19)], []]


def test_own_recognizers_come_from_a_file(typed: Typed, written: Callable[..., Path], tmp_path: Path) -> None:
    """A regular expression, words that must stand near, a list that is found, one that is not: no code."""
    config = tmp_path / "text.yaml"
    config.write_text(
        "model: false\nrecognizers:\n- {name: ward_code, label: ID, patterns: ['\\bW-\\d\\d\\b'], context: [ward], allow: [W-99]}\n"
        "- {name: projects, label: PROJECT, deny: [blue heron]}\n"
    )
    source = written({"id": 1, "text": "ward W-12, ward W-99, " + "-" * 60 + " W-13; Blue  Heron"})
    assert typed("find-text", source, "-o", tmp_path / "out.jsonl", "--config", config)[0] == 0
    spans = json.loads((tmp_path / "out.jsonl").read_text())["spans"]
    assert [(s["start"], s["label"]) for s in spans] == [(5, "ID"), (89, "PROJECT")]


def test_a_pattern_that_never_ends_is_stopped_and_named() -> None:
    """Nested repetitions take longer than the universe has; the run ends and says which recognizer."""
    custom = CustomRecognizer(name="endless", label="ID", patterns=(r"(?:a|a)*(?:a|aa)+$",))
    finder = finder_of(TextSettings(model=False, recognizers=(custom,), time_limit=0.2))
    with pytest.raises(PolicyError, match=r"recognizer endless: a pattern took more than 0\.2 s for a text"):
        finder.find([Note("a" * 5_000 + "b")])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("model: false\nspeed: 1", "speed: Extra inputs are not permitted"),
        ("recognizers: [{name: x, label: ID}]", "recognizer x: give patterns, or texts to deny"),
        ("language: [", "the file is no YAML"),
    ],
)
def test_faulty_settings_are_refused(tmp_path: Path, text: str, fault: str) -> None:
    """A setting that is misspelt would leave something unfound."""
    path = tmp_path / "text.yaml"
    path.write_text(text)
    with pytest.raises(PolicyError, match=fault):
        load_settings(path)


def test_a_faulty_pattern_and_an_unknown_language_are_refused() -> None:
    """Both are told before a note is read."""
    custom = CustomRecognizer(name="odd", label="ID", patterns=("(",))
    with pytest.raises(PolicyError, match="recognizer odd: a pattern cannot be read"):
        finder_of(TextSettings(model=False, recognizers=(custom,)))
    with pytest.raises(PolicyError, match="language xx: there is none of that name; choose one of en, es"):
        finder_of(TextSettings(language="xx"))


def test_presidio_can_host_the_rules() -> None:
    """Whoever has Presidio adds one recognizer to its registry."""
    recognizer = as_recognizer(Finder(language("en")), ["PERSON"])
    results = recognizer.analyze(f"Dr. {SECRET}, MRN 4839201", ["PERSON"], None)  # type: ignore[arg-type]
    assert [(r.entity_type, r.start, r.end) for r in results] == [("PERSON", 4, 16)]


def test_gold_data_is_evaluated(typed: Typed, written: Callable[..., Path], tmp_path: Path) -> None:
    """With what was found earlier or now, the numbers are the same."""
    gold = written(
        {"id": 1, "text": f"Dr. {SECRET} on 3/14/2019", "spans": [{"start": 0, "end": 16, "label": "NAME"}, {"start": 20, "end": 29, "label": "DATE"}]},
        {"id": 2, "text": "zip zap", "spans": [{"start": 0, "end": 3, "label": "NAME"}]},
    )  # fmt: skip
    assert typed("find-text", gold, "-o", tmp_path / "out.jsonl", "--no-model")[0] == 0
    code, out, _ = typed("evaluate-text", gold, "--found", tmp_path / "out.jsonl", "--no-model", "--json")
    measured = json.loads(out)
    assert code == 0
    assert measured["by_label"]["NAME"]["recall"] == 12 / 15
    assert (measured["overall"]["recall"], measured["precision"]) == (21 / 24, 1.0)
    assert json.loads(typed("evaluate-text", gold, "--no-model", "--json")[1]) == measured
    table = typed("evaluate-text", gold, "--no-model")[1]
    assert "NAME" in table
    assert "0.8000" in table


def test_gold_data_that_does_not_fit_is_refused(
    typed: Typed, written: Callable[..., Path], tmp_path: Path
) -> None:
    """Offsets in bytes would measure nonsense."""
    gold = written({"id": 1, "text": "ab", "spans": [{"start": 0, "end": 5, "label": "NAME"}]})
    code, _, err = typed("evaluate-text", gold, "--no-model")
    assert code == 3
    assert "line 1 has spans beyond its text; offsets count characters, not bytes" in err.replace("\n", " ")
    other = tmp_path / "other.jsonl"
    other.write_text('{"id": 2, "spans": []}\n')
    gold = written({"id": 1, "text": "ab", "spans": []})
    code, _, err = typed("evaluate-text", gold, "--found", other, "--no-model")
    assert code == 3
    assert "lacks 1 of 1 notes" in err
