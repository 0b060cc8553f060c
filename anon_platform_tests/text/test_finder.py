"""What is found hangs on the note alone: not on its neighbours, the batch, the processes, or the letters' width."""

import json
import random
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.demo.note_templates import CLOSINGS, OPENINGS
from anon_platform.text import Finder, Note, Span, language
from anon_platform.text.making import finder_of
from anon_platform.text.ner.on_spacy import Spacy, with_usual_capitals
from anon_platform.text.settings import TextSettings
from anon_platform.text.stream import find_in_file


@cache
def rules() -> Finder:
    """Rules alone."""
    return Finder(language("en"))


@cache
def modelled() -> Finder:
    """Rules and model."""
    return finder_of(TextSettings())


PIECES = [
    "Dr. Alistair Quillfeather", "Ms. Çelik", "Jane E.", "MRN: 4839201", "on 3/14/2019", "jo@example.org", "(617) 555-0134",
    "\U0001f600", "👩‍⚕️", "e\u0301te\u0301", "\u200b", "BP 120/80", "in Springfield, IL", "no fever.", "\n", "\t", "'", "ﬁ", "İ", "ß",
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=8).map(" ".join)


@settings(max_examples=200)
@given(texts)
def test_spans_lie_in_the_text_in_order_and_apart(text: str) -> None:
    """Offsets are characters of the text as given: one emoji is one."""
    spans = rules().find([Note(text)])[0]
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(one.end <= other.start for one, other in pairwise(spans))
    assert all(any(map(str.isalnum, text[span.start : span.end])) for span in spans)


@given(st.text(alphabet="👍😀é\u0301 \n", max_size=9))
def test_what_stands_before_a_name_moves_it_and_nothing_else(before: str) -> None:
    """A byte offset would cut the name in two."""
    note = "Dr. Quillfeather, MRN: 4839201"
    moved = [
        span._replace(start=span.start + len(before) + 1, end=span.end + len(before) + 1)
        for span in rules().find([Note(note)])[0]
    ]
    assert rules().find([Note(f"{before}\n{note}")])[0] == moved


def notes(count: int) -> list[str]:
    """Notes of the demo's templates, some said twice, with names that only a model knows."""
    rng = random.Random(5)
    names = ["Jane Smith", "Zoltan Bartok", "Xiomara", "Ngozi Adebayo", "Sunil Kapadia", "Mill Lane"]
    made = []
    for _ in range(count):
        template = rng.choice(OPENINGS + CLOSINGS)
        made.append(
            "".join(
                rng.choice(names) if part.endswith("}") else part
                for part in template.replace("}", "}\0").replace("{", "\0{").split("\0")
            )
        )
    return made


def test_neighbours_and_batches_change_nothing() -> None:
    """A note is treated alike in every release, with or without the model's memory of earlier sentences."""
    given_ = [Note(text) for text in notes(40)]
    together = modelled().find(given_)
    assert [modelled().find([note])[0] for note in given_] == together
    assert finder_of(TextSettings()).find(given_[::-1])[::-1] == together
    assert any(together)


def test_a_model_finds_what_no_rule_does() -> None:
    """Names that are plain words or in no list; without it they stay."""
    text = Note("I met Blue Ivy Carter and the Ngozi brothers near Lake Wobegon yesterday.")
    assert len(modelled().find([text])[0]) >= len(rules().find([text])[0]) > 0


def test_a_sentence_is_analyzed_once() -> None:
    """Notes are made of phrases that come again and again; a model is a hundred times as slow as a look."""
    finder = finder_of(TextSettings())
    asked: list[str] = []
    assert finder.model is not None
    (spacy,) = finder.model.recognizers
    assert isinstance(spacy, Spacy)
    pipe = spacy.pipeline.pipe

    class Pipeline:
        """Counts what it is asked."""

        def pipe(self, sentences: object, **options: object) -> object:
            """The entities, as ever."""
            listed = list(sentences)  # type: ignore[call-overload]
            asked.extend(listed)
            return pipe(listed, **options)

    spacy.pipeline = Pipeline()  # type: ignore[assignment]
    sentence = "Yesterday Xqwerty Zzyzx met us."
    for _ in range(3):
        finder.find([Note(sentence), Note(f"No fever. {sentence}")])
    assert asked == [sentence]
    finder.find([Note("no fever, eating well. Past history is of no note.")])
    assert asked == [sentence], "what the rules explain is not asked"


@pytest.mark.parametrize("text", [None, "", " ", "\n\n", "😀", ".", "\x00"])
def test_a_note_with_nothing_in_it_has_no_spans(text: str | None) -> None:
    """Null is no text."""
    assert modelled().find([Note(text)]) == [[]]


def test_half_a_character_is_no_reason_to_fail() -> None:
    """JSON may hold half a pair of UTF-16; a model cannot read it."""
    text = "Zolthar \ud800 met Quibbs in Xanadoo \udfff near the lake"
    assert all(span.end <= len(text) for span in modelled().find([Note(text)])[0])


def test_a_very_long_note_is_searched_like_its_parts() -> None:
    """Five million characters on one line must neither fail nor take time by the square."""
    part = "Seen by Dr. Quillfeather on 3/14/2019, MRN: 4839201, no fever and eating well; "
    once = rules().find([Note(part)])[0]
    many = rules().find([Note(part * 5_000)])[0]
    assert len(many) == 5_000 * len(once)
    assert many[-1] == Span(
        once[-1].start + 4_999 * len(part), once[-1].end + 4_999 * len(part), *once[-1][2:]
    )


def test_processes_change_neither_findings_nor_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More cores make it faster, nothing else."""
    monkeypatch.setattr("anon_platform.text.stream.BATCH_LINES", 7)
    source = tmp_path / "in.jsonl"
    source.write_text("".join(json.dumps({"id": i, "text": text}) + "\n" for i, text in enumerate(notes(60))))
    settings_ = TextSettings(model=False)
    written = []
    for workers in (1, 2):
        target = tmp_path / f"out{workers}.jsonl"
        assert find_in_file(source, target, settings_, workers=workers).notes == 60
        written.append(target.read_text())
    assert written[0] == written[1]
    assert [json.loads(line)["id"] for line in written[0].splitlines()] == list(range(60))


def test_capitals_are_evened_out_for_the_model_only() -> None:
    """A model has learnt from newspapers; the offsets must not move."""
    assert with_usual_capitals("SEEN BY DR. O'HARA", {}) == "Seen By Dr. O'Hara"
    assert with_usual_capitals("SEEN İN STRAßE, AGAIN", {}) in {
        "SEEN İN STRAßE, AGAIN",
        "Seen İn Straße, Again",
    }


def test_texts_that_are_allowed_are_never_found() -> None:
    """The hospital's own name is on its front door."""
    settings_ = TextSettings(model=False, allow=("St. Mary's Hospital",))
    assert finder_of(settings_).find([Note("ST. MARY'S HOSPITAL called; St. Mary's Hospital, too")]) == [[]]
