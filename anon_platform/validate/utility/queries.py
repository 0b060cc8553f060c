"""What analysts would ask: counts and averages, answered from the release and from the original.

Whoever has the release knows labels, and takes the share of a label's span or values that a question is about (uniformity
assumption; LeFevre, DeWitt, Ramakrishnan 2006, section 5.4). Suppressed records are missing from the answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from anon_platform.validate.utility.coded import Coded
from anon_platform.validate.utility.distances import Floats

SANITY = 0.001
"""Share of the records below which an error is taken of that many: a count of next to none has no relative error.
Source: Xiao, Bender, Hay, Gehrke 2011, section 6.1."""

MOST_COLUMNS = 3

AVERAGES = 4
"""One query in so many asks for an average, where there are numbers."""


@dataclass(frozen=True)
class Asked:
    """A query on cells. where: by column the cells that count, as true. average: the column whose average is asked."""

    where: Mapping[str, np.ndarray]
    average: str | None = None


@dataclass(frozen=True)
class Answer:
    """true: on the original. got: on the release, None where it has no record for it. spread: of the column, for an average."""

    true: float
    got: float | None
    average: bool
    spread: float = 0.0


@dataclass(frozen=True)
class Errors:
    """Errors of some queries. relative: see `relative_error`; absolute: of counts, in records. unanswered: averages of nothing."""

    queries: int
    median_relative: float
    high_relative: float
    median_absolute: float
    high_absolute: float
    unanswered: int


def answers(columns: Mapping[str, Coded], asked: Sequence[Asked]) -> list[Answer]:
    """Of all queries, in order; averages of what no record of the original is about are left out."""
    found = [_answer(columns, one) for one in asked]
    return [answer for answer in found if answer is not None]


def _answer(columns: Mapping[str, Coded], one: Asked) -> Answer | None:
    before, after = None, None
    for name, cells in one.where.items():
        column = columns[name]
        is_in = cells.astype(bool)[column.before]
        share = (column.spread @ cells).astype(np.float32)[column.after]
        before = is_in if before is None else before & is_in
        after = share if after is None else after * share
    assert before is not None
    assert after is not None
    return counted(before, after) if one.average is None else averaged(columns[one.average], before, after)


def counted(before: np.ndarray, after: np.ndarray) -> Answer:
    """How many records count. before: of each row of the source whether it does; after: of each released one its share."""
    return Answer(float(before.sum(dtype=np.float64)), float(after.sum(dtype=np.float64)), average=False)


def averaged(column: Coded, before: np.ndarray, after: np.ndarray) -> Answer | None:
    """The average of a number over the records that count; None where none of the original does."""
    assert column.number is not None
    assert column.mean is not None
    true = weighted_mean(column.number, before)
    if true is None:
        return None
    spread = float(np.nanstd(column.number))
    return Answer(true, weighted_mean(column.mean[column.at], after), average=True, spread=spread)


def weighted_mean(numbers: Floats, weights: np.ndarray) -> float | None:
    """The mean of the known numbers; None where nothing has weight."""
    known = np.isfinite(numbers)
    weight = np.where(known, weights, 0).astype(np.float64)
    total = float(weight.sum())
    return float((weight * np.where(known, numbers, 0.0)).sum()) / total if total > 0 else None


def relative_error(answer: Answer, records: int) -> float:
    """|got − true| over the truth; 1 where the release has no answer.

    The truth counts as at least 0.1 % of the records, that of an average as a tenth of its column's standard deviation.

    >>> relative_error(Answer(200.0, 150.0, average=False), 1000), relative_error(Answer(0.0, 1.0, average=False), 1000)
    (0.25, 1.0)
    """
    if answer.got is None:
        return 1.0
    least = answer.spread / 10 if answer.average else max(SANITY * records, 1.0)
    apart = abs(answer.got - answer.true)
    below = max(abs(answer.true), least)
    return apart / below if below else float(apart > 0)


def errors_of(found: Sequence[Answer], records: int) -> Errors | None:
    """Medians and 95th percentiles; None without queries."""
    if not found:
        return None
    relative = np.array([relative_error(answer, records) for answer in found])
    counts = [
        abs(answer.got - answer.true) for answer in found if not answer.average and answer.got is not None
    ]
    absolute = np.array(counts or [0.0])
    return Errors(
        len(found),
        float(np.median(relative)),
        float(np.quantile(relative, 0.95)),
        float(np.median(absolute)),
        float(np.quantile(absolute, 0.95)),
        sum(answer.got is None for answer in found),
    )


def workload(
    columns: Mapping[str, Coded], numbers: Sequence[str], count: int, rng: np.random.Generator
) -> list[Asked]:
    """Queries about one to three columns drawn at random. numbers: columns whose averages are asked.

    Of numbers and dates a range of cells counts, of other values some of them, half of them on average, at least one.
    """
    names = list(columns)
    found = []
    for place in range(count):
        average = None
        if numbers and place % AVERAGES == AVERAGES - 1:
            average = str(rng.choice(list(numbers)))
        left = [name for name in names if name != average] or names
        several = int(rng.integers(1, min(MOST_COLUMNS, len(left)) + 1))
        drawn = rng.choice(len(left), several, replace=False)
        found.append(Asked({left[at]: _drawn_cells(columns[left[at]], rng) for at in drawn}, average))
    return found


def _drawn_cells(column: Coded, rng: np.random.Generator) -> np.ndarray:
    cells = np.zeros(column.cells)
    if column.number is not None and column.cells > 1:
        first, last = np.sort(rng.integers(1, column.cells, 2))
        cells[first : last + 1] = 1.0
        return cells
    cells[rng.random(column.cells) < 0.5] = 1.0  # noqa: PLR2004 - half of them
    cells[int(rng.integers(column.cells))] = 1.0
    return cells
