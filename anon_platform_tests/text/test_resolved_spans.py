"""Overlapping spans become spans that do not overlap, without a letter lost."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from anon_platform.text.spans import WEAK, Span, resolved

LABELS = ["PERSON", "LOCATION", "ID", "AGE", "ORGANIZATION"]


@st.composite
def texts_with_spans(draw: st.DrawFn) -> tuple[str, list[Span]]:
    """A short text of letters, blanks, punctuation and an emoji, and spans anywhere in it."""
    text = draw(st.text(alphabet="ab C,.-'é😀", min_size=1, max_size=24))
    place = st.integers(0, len(text))
    made = st.tuples(place, place, st.sampled_from(LABELS), st.sampled_from([0.5, 0.6, 0.9]))
    drawn = draw(st.lists(made, max_size=6))
    return text, [Span(min(a, b), max(a, b), label, score) for a, b, label, score in drawn if a != b]


@given(texts_with_spans())
def test_no_two_spans_overlap_and_no_letter_is_lost(given_: tuple[str, list[Span]]) -> None:
    """A fragment between two spans would be published; two labels for one place cannot be treated."""
    text, spans = given_
    settled = resolved(spans, text)
    assert all(one.end <= other.start for one, other in pairwise(settled))
    wanted = {i for span in spans for i in range(span.start, span.end) if text[i].isalnum()}
    covered = {i for span in settled for i in range(span.start, span.end)}
    assert wanted <= covered


@given(texts_with_spans(), st.randoms())
def test_the_order_of_the_findings_does_not_matter(given_: tuple[str, list[Span]], random: object) -> None:
    """The same note gives the same release, whichever recognizer spoke first."""
    text, spans = given_
    shuffled = list(spans)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert resolved(spans, text) == resolved(shuffled, text)


@given(texts_with_spans())
def test_a_weak_label_never_hides_a_strong_one(given_: tuple[str, list[Span]]) -> None:
    """A policy may keep organizations; a name within one must not stay with it."""
    text, spans = given_
    settled = resolved(spans, text)
    for i, letter in enumerate(text):
        strong = any(s.start <= i < s.end and s.label not in WEAK for s in spans)
        if strong and letter.isalnum():
            assert any(s.start <= i < s.end and s.label not in WEAK for s in settled)
