"""The evaluation counts as a slow, obvious count does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anon_platform.text.evaluate import evaluate, wilson
from anon_platform.text.gold import Gold
from anon_platform.text.spans import Span

GOLD = ["PERSON", "LOC", "AGE", "ORG"]
OURS = {"PERSON": "PERSON", "LOC": "LOCATION", "AGE": "AGE", "ORG": "ORGANIZATION"}
TEXT = "ab cde f ghij"


def spans(labels: list[str]) -> st.SearchStrategy[list[Span]]:
    """Any spans in the text."""
    place = st.integers(0, len(TEXT))
    made = st.tuples(place, place, st.sampled_from(labels)).filter(lambda t: t[0] < t[1])
    return st.lists(made.map(lambda t: Span(t[0], t[1], t[2], 1.0)), max_size=4)


notes = st.lists(st.tuples(spans(GOLD), spans(list(OURS.values()))), min_size=1, max_size=4)


@given(notes)
def test_recall_and_precision_are_those_of_a_plain_count(drawn: list[tuple[list[Span], list[Span]]]) -> None:
    """Recall is what a release is judged by; an off-by-one would be believed."""
    gold = [Gold(i, TEXT, tuple(golden)) for i, (golden, _) in enumerate(drawn)]
    result = evaluate(gold, [mine for _, mine in drawn])
    letters = [i for i, letter in enumerate(TEXT) if letter != " "]
    for label in {span.label for golden, _ in drawn for span in golden}:
        total = hits = 0
        for golden, mine in drawn:
            for i in letters:
                if any(s.label == label and s.start <= i < s.end for s in golden):
                    total += 1
                    apart = label in {"AGE", "ORG"}
                    hits += any(
                        s.start <= i < s.end and (apart or s.label in {"PERSON", "LOCATION"}) for s in mine
                    )
        assert result.by_label[label].characters == total
        assert result.by_label[label].recall == (hits / total if total else None)
    sought = {OURS[s.label] for golden, _ in drawn for s in golden if s.label in {"PERSON", "LOC"}} or {
        "PERSON",
        "LOCATION",
    }
    found = right = 0
    for golden, mine in drawn:
        for i in letters:
            if any(s.label in sought and s.start <= i < s.end for s in mine):
                found += 1
                right += any(s.start <= i < s.end for s in golden)
    assert result.precision == (right / found if found else None)


def test_titles_are_cut_on_both_sides() -> None:
    """Whether a corpus counts `Dr.` to the name is a matter of taste."""
    text = "Dr. Smith saw Mr. Jones"
    gold = [Gold(1, text, (Span(0, 9, "PERSON"), Span(18, 23, "PERSON")))]
    result = evaluate(gold, [[Span(4, 9, "PERSON"), Span(14, 23, "PERSON")]])
    assert (result.overall.recall, result.precision) == (1.0, 1.0)


def test_intervals_hold_the_share_and_narrow_with_more_documents() -> None:
    """Characters of a document hang together, so documents are drawn anew."""
    few = [Gold(i, "abcd", (Span(0, 4, "PERSON"),)) for i in range(8)]
    found = [[Span(0, 4, "PERSON")] if i % 4 else [] for i in range(8)]
    one, many = evaluate(few, found).overall, evaluate(few * 20, found * 20).overall
    assert one.recall == many.recall == 0.75
    assert one.low < one.recall < one.high  # type: ignore[operator]
    assert many.high - many.low < one.high - one.low  # type: ignore[operator]
    assert evaluate(few, found) == evaluate(few, found), "the same draws every time"


def test_notes_without_gold_that_were_touched_are_counted() -> None:
    """Over-redaction is a harm too; ages and organizations do not count as one."""
    gold = [Gold(i, "abcd", ()) for i in range(3)]
    result = evaluate(gold, [[], [Span(0, 2, "PERSON")], [Span(0, 4, "AGE")]])
    assert (result.negatives, result.touched, result.covered) == (3, 1, 2 / 12)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"), [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)]
)
def test_the_wilson_interval_is_the_published_one(hits: int, n: int, low: float, high: float) -> None:
    """81 of 263: Newcombe 1998, table I, method 3."""
    assert wilson(hits, n) == pytest.approx((low, high), abs=5e-5)
