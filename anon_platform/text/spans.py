"""Spans of a text, and how those that overlap become spans that do not."""

from bisect import bisect_right, insort
from collections.abc import Iterable
from typing import NamedTuple

WEAK = frozenset({"ORGANIZATION", "AGE"})
"""Labels that give way to any other, whatever the length: neither names a person by itself."""

CERTAIN = 0.95
"""Score of what can hardly be anything else, such as an e-mail address."""

LIKELY = 0.85
"""Score of what its label or its form tells."""

POSSIBLE = 0.6
"""Score of what a word list or a model alone tells."""

UNSURE = 0.5
"""Score of a word that no list explains and that is written as a name; a model may still know better."""

_EDGE = " \t\r\n,;:()[]{}<>\"'“”‘’|*_-–—/\\!?=\u00a0\u200b"


class Span(NamedTuple):
    """Characters `start` to `end` (exclusive) of a text that identify; score: 0 to 1, how sure."""

    start: int
    end: int
    label: str
    score: float = LIKELY


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The stretch without blanks and punctuation at its ends; a full stop stays after a letter alone, as in "Mary W.".

    >>> trimmed("by (Mary W.), now", 3, 13)
    (4, 11)
    """
    while start < end and text[start] in _EDGE + ".":
        start += 1
    while start < end and (
        text[end - 1] in _EDGE or (text[end - 1] == "." and not _is_initial(text, start, end - 1))
    ):
        end -= 1
    return start, end


def _is_initial(text: str, start: int, end: int) -> bool:
    """Whether a letter alone ends there, after a blank or another initial."""
    return end > start + 1 and text[end - 1].isalpha() and not text[end - 2].isalnum()


def resolved(spans: Iterable[Span], text: str) -> list[Span]:
    """Spans in order that do not overlap and cover every character of the given ones but blanks and punctuation.

    Strong labels go before weak ones, then longer spans, then surer ones, then earlier ones; what is left of a span
    beside a better one keeps its label. Parts of one name with only a blank between them become one, parts
    of an address also over a comma.
    """
    ranked = sorted(set(spans), key=lambda s: (s.label in WEAK, s.start - s.end, -s.score, s.start, s.label))
    taken: list[Span] = []
    for span in ranked:
        for start, end in _free(taken, span):
            start, end = trimmed(text, start, end) if (start, end) != span[:2] else (start, end)  # noqa: PLW2901
            if any(map(str.isalnum, text[start:end])):
                insort(taken, Span(start, end, span.label, span.score))
    return _joined(taken, text)


def _free(taken: list[Span], span: Span) -> list[tuple[int, int]]:
    """The stretches of a span that no taken span covers."""
    at = max(bisect_right(taken, (span.start, span.end, "", 0.0)) - 1, 0)
    start, free = span.start, []
    while at < len(taken) and taken[at].start < span.end:
        if taken[at].end > start:
            if taken[at].start > start:
                free.append((start, taken[at].start))
            start = taken[at].end
        at += 1
    if start < span.end:
        free.append((start, span.end))
    return free


def _joined(spans: list[Span], text: str) -> list[Span]:
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        gaps = {"", " ", ", "} if span.label == "LOCATION" else {"", " "}
        if last and last.label == span.label and text[last.end : span.start] in gaps:
            joined[-1] = Span(last.start, span.end, last.label, max(last.score, span.score))
        else:
            joined.append(span)
    return joined
