"""Constraints as cells of the model that cannot be, and as orders of the values within their bins."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from anon_platform.dp.synthetic.coded import Column, Stepped
from anon_platform.dp.synthetic.junction import Scope
from anon_platform.dp.synthetic.settings import AtMost, Constraint, Implies
from anon_platform.errors import PolicyError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

MOST_CELLS = 100_000
"""The largest table of a constraint; larger ones would slow down every step of the fit."""

Order = tuple[int, int]
"""Numbers of two columns: the value of the first is never more than that of the second."""


def orders_of(constraints: Sequence[Constraint], columns: Sequence[Column]) -> tuple[Order, ...]:
    """All orders that the constraints imply, chains included. A circle of orders raises `PolicyError`."""
    place = {column.name: at for at, column in enumerate(columns)}
    found = {(place[one.column], place[one.at_most]) for one in constraints if isinstance(one, AtMost)}
    while more := {(a, d) for a, b in found for c, d in found if b == c} - found:
        found |= more
    if circle := [a for a, b in found if a == b]:
        raise PolicyError(
            f"constraints: columns {', '.join(sorted(columns[at].name for at in set(circle)))} are at most each other;"
            " remove one of the constraints"
        )
    return tuple(sorted(found))


def zeros_of(constraints: Sequence[Constraint], columns: Sequence[Column]) -> "dict[Scope, Mask]":
    """Per scope of a constraint the cells that cannot be. A wrong constraint raises `PolicyError`.

    Two bins can be in order when the first's least value is at most the second's greatest.
    """
    import numpy as np

    place = {column.name: at for at, column in enumerate(columns)}
    zeros: dict[Scope, Mask] = {}
    for one in constraints:
        _check(one, columns, place)
    for a, b in orders_of(constraints, columns):
        low, high = columns[a], columns[b]
        assert isinstance(low, Stepped)
        assert isinstance(high, Stepped)
        mask = np.zeros((low.size, high.size), np.bool_)
        mask[: len(low.starts), : len(high.starts)] = (low.starts * low.step)[:, None] > (
            high.ends * high.step
        )
        _add(zeros, (a, b), mask, columns)
    for one in constraints:
        if isinstance(one, Implies):
            names = one.columns
            scope = tuple(place[name] for name in names)
            mask = np.ones([columns[at].size for at in scope], np.bool_)
            for axis, name in enumerate(names):
                cells = _codes(columns[place[name]], (one.when | one.then)[name])
                if name in one.when:
                    mask &= cells.reshape([-1 if axis == other else 1 for other in range(len(scope))])
            fulfilled = np.ones_like(mask)
            for axis, name in enumerate(names):
                if name in one.then:
                    cells = _codes(columns[place[name]], one.then[name])
                    fulfilled &= cells.reshape([-1 if axis == other else 1 for other in range(len(scope))])
            _add(zeros, scope, mask & ~fulfilled, columns)
    return zeros


def _add(zeros: "dict[Scope, Mask]", scope: Sequence[int], mask: "Mask", columns: Sequence[Column]) -> None:
    """Puts the axes in ascending order and joins masks of one scope."""
    import numpy as np

    cells = math.prod(columns[at].size for at in scope)
    if cells > MOST_CELLS:
        names = ", ".join(columns[at].name for at in scope)
        raise PolicyError(
            f"constraints: columns {names} have {cells:,} combinations of bins or categories, more than {MOST_CELLS:,};"
            " write wider bins or fewer categories"
        )
    order = sorted(range(len(scope)), key=lambda axis: scope[axis])
    ascending = tuple(scope[axis] for axis in order)
    turned = mask.transpose(order)
    zeros[ascending] = np.logical_or(zeros[ascending], turned) if ascending in zeros else turned


def _check(one: Constraint, columns: Sequence[Column], place: Mapping[str, int]) -> None:
    for name in one.columns:
        if name not in place:
            raise PolicyError(
                f"constraints: no column {name} has a domain; the columns are {', '.join(sorted(place))}"
            )
    if isinstance(one, AtMost):
        low, high = (columns[place[name]] for name in one.columns)
        if not (isinstance(low, Stepped) and isinstance(high, Stepped)) or (
            low.dtype.is_temporal() != high.dtype.is_temporal()
        ):
            raise PolicyError(
                f"constraints: {one.column} at most {one.at_most}: one can be at most the other when both are numbers or"
                " both dates"
            )


def _codes(column: Column, cells: Sequence[object]) -> "Mask":
    """True at the codes that are named."""
    import numpy as np

    named = np.zeros(column.size, np.bool_)
    for cell in cells:
        if cell is None:
            if column.missing is None:
                raise PolicyError(
                    f"constraints: column {column.name} is required, so that it is never missing; remove null"
                )
            named[column.missing] = True
        elif isinstance(column, Stepped):
            raise PolicyError(
                f"constraints: column {column.name} holds numbers or dates, of which if and then know null only"
            )
        elif cell not in column.labels or type(cell) is not type(column.labels[0]):
            raise PolicyError(
                f"constraints: column {column.name} has no category {cell!r}; name one of its domain"
            )
        else:
            named[column.labels.index(cell)] = True
    return named


def values_of(
    codes: "NDArray[np.int32]", columns: Sequence[Column], orders: Sequence[Order], rng: "np.random.Generator"
) -> "list[NDArray[np.int64]]":
    """A step at random within each cell's bin, such that the orders hold; of categories the codes.

    codes: one line a column. A column's greatest step is bounded by what follows it; then values are drawn from the least column on, each at least
    those before. Uniform in its bin where no order bounds it.
    """
    import numpy as np

    rows = codes.shape[1]
    steps: list[NDArray[np.int64]] = [codes[at].astype(np.int64) for at in range(len(columns))]
    present = [
        codes[at] != (-1 if column.missing is None else column.missing) for at, column in enumerate(columns)
    ]
    low, high = {}, {}
    for at, column in enumerate(columns):
        if isinstance(column, Stepped):
            bins = np.where(present[at], codes[at], 0)
            low[at], high[at] = column.starts[bins], column.ends[bins]
    before = {at: [a for a, b in orders if b == at] for at in low}
    for a, b in sorted(orders, key=lambda pair: -len(before[pair[1]])):
        # chains are closed, so one pass from the last column on is enough
        bound = _steps(high[b], columns[b], columns[a], np.floor)
        both = present[a] & present[b]
        high[a] = np.where(both, np.minimum(high[a], bound), high[a])
    for at in sorted(low, key=lambda at: len(before[at])):
        for a in before[at]:
            bound = _steps(steps[a], columns[a], columns[at], np.ceil)
            both = present[a] & present[at]
            low[at] = np.where(both, np.maximum(low[at], bound), low[at])
        steps[at] = rng.integers(low[at], high[at], size=rows, endpoint=True)
    return steps


def _steps(steps: "NDArray[np.int64]", of: Column, into: Column, rounding: "np.ufunc") -> "NDArray[np.int64]":
    """Steps of one column as steps of another."""
    import numpy as np

    assert isinstance(of, Stepped)
    assert isinstance(into, Stepped)
    if of.step == into.step:
        return steps
    hair = 1e-9 if rounding is np.floor else -1e-9
    return np.asarray(rounding(steps * (of.step / into.step) + hair)).astype(np.int64)
