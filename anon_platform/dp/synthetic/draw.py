"""Rows drawn from a model: each clique's new columns given its separator, and nothing else."""

from typing import TYPE_CHECKING

from anon_platform.dp.synthetic.fit import Model

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def drawn(model: Model, rows: int, rng: "np.random.Generator") -> "NDArray[np.int32]":
    """Codes: one line a column, one place a record.

    Among rows alike in the separator the counts of the new cells are the expected ones, rounded at random (systematic
    sampling: unbiased, and never off by one or more), and handed to the rows in random order: so that what the rows are
    in other columns does not matter.
    """
    import numpy as np

    tree, tables = model.tree, model.cliques()
    codes = np.zeros((len(tree.sizes), rows), np.int32)
    for clique, separator, table in zip(tree.cliques, tree.separators, tables, strict=True):
        new = tuple(column for column in clique if column not in separator)
        order = [clique.index(column) for column in (*separator, *new)]
        flat = table.transpose(order).reshape(int(np.prod(tree.shape(separator), dtype=int)), -1)
        groups = np.zeros(rows, np.int64)
        for column in separator:
            groups = groups * tree.sizes[column] + codes[column]
        cells = systematic(flat, groups, rng)
        for column in reversed(new):
            cells, codes[column] = np.divmod(cells, tree.sizes[column])
    return codes


def systematic(
    table: "NDArray[np.float64]", groups: "NDArray[np.int64]", rng: "np.random.Generator"
) -> "NDArray[np.int64]":
    """A cell for each row, of the line of the table (shares, of any sum) that its group is."""
    import numpy as np

    lines, width = table.shape
    rows = len(groups)
    shuffled = rng.permutation(rows)
    order = shuffled[np.argsort(groups[shuffled], kind="stable")]
    sizes = np.bincount(groups, minlength=lines)
    starts = np.cumsum(sizes) - sizes
    within = np.arange(rows) - np.repeat(starts, sizes)
    at = (within + np.repeat(rng.random(lines), sizes)) / np.repeat(sizes, sizes)
    sums = table.sum(axis=1, keepdims=True)
    shares = np.divide(table, sums, out=np.full_like(table, 1 / width), where=sums > 0)
    ends = np.cumsum(shares, axis=1)
    ends /= ends[:, -1:]
    line = groups[order]
    # one sorted array for all lines: line l's shares end between l and l + 1
    cells = (
        np.searchsorted((ends + np.arange(lines)[:, None]).ravel(), line + at, side="right") - line * width
    )
    found = np.empty(rows, np.int64)
    found[order] = np.clip(cells, 0, width - 1)
    return found
