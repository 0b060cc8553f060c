"""How much of gold data is found, character by character, and how sure that is."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from anon_platform.text.gold import NUMBERS, Gold, ours_of, titles_of, without_titles
from anon_platform.text.spans import WEAK, Span

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESAMPLES = 1_000
"""Bootstrap samples of documents; 1,000 give the ends of a 95 % interval to about a tenth of its width."""

Z = 1.959963984540054
"""The normal quantile of 97.5 %."""


@dataclass(frozen=True)
class Score:
    """Recall of one type or of all: characters found of characters gold.

    characters, entities: gold ones. recall: of characters; None without gold. low, high: 95 % interval of `recall` by a
    bootstrap over documents, since characters of a document are not independent. whole: share of entities that are found
    to the last letter; whole_low, whole_high: its 95 % Wilson interval, over entities.
    """

    characters: int
    entities: int
    recall: float | None
    low: float | None
    high: float | None
    whole: float | None
    whole_low: float | None
    whole_high: float | None


@dataclass(frozen=True)
class Evaluation:
    """Scores by the gold's own labels, and overall; blanks do not count, titles are cut from names on both sides.

    precision: of the characters found under a label that the corpus has, those that are gold under any label; None if
    nothing was found. negatives: documents without gold; touched: those in which something was found. covered: share of
    all characters found, which is over-redaction where there is no gold. Organizations and ages have scores of their own and
    count neither overall nor for the precision.
    """

    documents: int
    characters: int
    by_label: dict[str, Score]
    overall: Score
    precision: float | None
    negatives: int
    touched: int
    covered: float


def wilson(hits: int, n: int) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson 1927).

    >>> tuple(round(end, 3) for end in wilson(9, 10))
    (0.596, 0.982)
    """
    share, spread = hits / n, Z * Z / n
    middle = share + spread / 2
    half = Z * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    return max((middle - half) / (1 + spread), 0.0), min((middle + half) / (1 + spread), 1.0)


def evaluate(
    gold: Sequence[Gold], found: Mapping[str, Sequence[Span]] | Sequence[Sequence[Span]], *, language: str = "en", seed: int = 7
) -> Evaluation:  # fmt: skip
    """The evaluation of what was found, note by note in the order of the gold. seed: of the bootstrap."""
    titles = titles_of(language)
    rows = list(found.values()) if isinstance(found, Mapping) else list(found)
    labels = sorted({span.label for note in gold for span in note.spans})
    scored = [label for label in labels if ours_of(label) not in WEAK]
    sought = _sought(scored)
    tallies = {label: _Tally() for label in labels}
    right = wrong = negatives = touched = covered = 0
    for note, spans in zip(gold, rows, strict=True):
        cut = list(without_titles(note.text, note.spans, titles))
        mine = list(without_titles(note.text, spans, titles))
        strong = _marked(
            note.text,
            [span for span in mine if span.label not in WEAK and (not sought or span.label in sought)],
        )
        covers = {
            False: _marked(note.text, [s for s in mine if s.label not in WEAK]),
            True: _marked(note.text, mine),
        }
        for label in labels:
            tallies[label].add(
                note.text, [s for s in cut if s.label == label], covers[ours_of(label) in WEAK]
            )
        any_gold = _marked(note.text, cut)
        right += len(strong & any_gold)
        wrong += len(strong - any_gold)
        covered += len(covers[False])
        if not note.spans:
            negatives += 1
            touched += bool(strong)
    size = sum(sum(not letter.isspace() for letter in note.text) for note in gold)
    return Evaluation(
        len(gold), size, {label: tally.score(seed) for label, tally in tallies.items()},
        _Tally.together([tallies[label] for label in scored], len(gold)).score(seed),
        right / (right + wrong) if right + wrong else None, negatives, touched, covered / size if size else 0.0,
    )  # fmt: skip


def _sought(labels: Sequence[str]) -> set[str]:
    """Our labels that the corpus has, any number for a number; empty if one of its labels is none of ours."""
    ours = [ours_of(label) for label in labels]
    if None in ours:
        return set()
    named = {label for label in ours if label is not None}
    return named | NUMBERS if named & NUMBERS else named


def _marked(text: str, spans: Sequence[Span]) -> set[int]:
    """Places of the characters within the spans, without blanks."""
    return {place for span in spans for place in range(span.start, span.end) if not text[place].isspace()}


class _Tally:
    """Gold and found characters of one label, document by document, and its entities."""

    def __init__(self) -> None:
        self.gold: list[int] = []
        self.hits: list[int] = []
        self.entities = self.whole = 0

    @classmethod
    def together(cls, tallies: "Sequence[_Tally]", documents: int) -> "_Tally":
        """The tally of all labels."""
        total = cls()
        total.gold = [sum(tally.gold[at] for tally in tallies) for at in range(documents)]
        total.hits = [sum(tally.hits[at] for tally in tallies) for at in range(documents)]
        total.entities = sum(tally.entities for tally in tallies)
        total.whole = sum(tally.whole for tally in tallies)
        return total

    def add(self, text: str, spans: Sequence[Span], covered: set[int]) -> None:
        """The next document's gold spans of the label, and the places that are found in it."""
        places = [_marked(text, [span]) for span in spans]
        every = set().union(*places)
        self.gold.append(len(every))
        self.hits.append(len(every & covered))
        self.entities += len(places)
        self.whole += sum(place <= covered for place in places)

    def score(self, seed: int) -> Score:
        """Shares and intervals."""
        characters = sum(self.gold)
        if not characters:
            return Score(0, self.entities, None, None, None, None, None, None)
        low, high = _bootstrap(self.gold, self.hits, seed)
        whole = wilson(self.whole, self.entities)
        return Score(
            characters,
            self.entities,
            sum(self.hits) / characters,
            low,
            high,
            self.whole / self.entities,
            *whole,
        )


def _bootstrap(gold: Sequence[int], hits: Sequence[int], seed: int) -> tuple[float, float]:
    """The 2.5 % and 97.5 % quantiles of found over gold characters, documents drawn anew (Efron 1979)."""
    import numpy as np

    having = [at for at, count in enumerate(gold) if count]
    pairs: NDArray[np.int64] = np.array([(gold[at], hits[at]) for at in having], dtype=np.int64)
    rng = np.random.default_rng(seed)
    sums = np.stack([pairs[rng.integers(len(pairs), size=len(pairs))].sum(axis=0) for _ in range(RESAMPLES)])
    low, high = np.quantile(sums[:, 1] / sums[:, 0], [0.025, 0.975])
    return float(low), float(high)
