"""PRAM, the post-randomisation method: categories change by chance, with known probabilities."""

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from anon_platform.anonymize.hierarchy.gaps import require_named
from anon_platform.anonymize.technique import TreatRows, WholeColumn, has_text
from anon_platform.errors import PolicyError, SourceError
from anon_platform.spec import Spec

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    from anon_platform.anonymize.order import Draws

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

MOST = 2_000
"""Categories at most: the transition matrix has their square."""

Probability = Annotated[float, Field(ge=0, le=1)]


class Pram(Spec):
    """Each value stays or becomes another value of the column, by the probabilities of a transition matrix.

    `retain` is the probability that a value stays, the others share the rest evenly; or `matrix` gives, for each value,
    the probability of each value that it may become. `invariant: true` turns this matrix P into P · Q with
    Q[l, k] = P[k, l] T[k] / Σ P[j, l] T[j] (T the frequencies of the column), which keeps the expected
    frequencies: what is counted in the release is an unbiased estimate as it stands. Nulls stay nulls.
    Source: Gouweleeuw, Kooiman, Willenborg, de Wolf 1998, Post Randomisation for Statistical Disclosure Control,
    Journal of Official Statistics 14 (4), sections 2 and 4 (invariant PRAM in two stages).
    """

    technique: Literal["pram"]
    retain: float | None = Field(default=None, gt=0, lt=1)
    """Probability that a value stays as it is (before `invariant`). It has no default: it is a policy decision."""
    matrix: dict[str, dict[str, Probability]] | None = None
    """Value → value → probability; each row sums to 1, probabilities left out are 0, all values have a row."""
    invariant: bool
    """Whether the matrix is changed so that the expected frequencies are those of the column."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.retain is None) == (self.matrix is None):
            raise ValueError(
                "say how values change: retain: …, such as 0.8, or matrix: {a: {a: 0.8, b: 0.2}, b: …}"
            )
        for row in (self.matrix or {}).values():
            if abs(sum(row.values()) - 1) > 1e-9:  # noqa: PLR2004
                raise ValueError("every row of the matrix sums to 1, such as {a: 0.8, b: 0.2}")
            if set(row) - set(self.matrix or {}):
                raise ValueError("a value of the matrix has no row of its own; add one for each")
        return self

    def fault(self, dtype: "pl.DataType") -> str | None:
        """Categories are exact values."""
        exact = has_text(dtype) and not dtype.is_float()
        return None if exact else "pram needs categories: text, whole numbers, booleans or dates"

    def fit_rows(self, column: WholeColumn) -> TreatRows:
        """The value that each row's draw makes of it; more than 2,000 distinct values raise `PolicyError`."""
        import numpy as np
        import polars as pl

        counts = self._categories(column)
        if counts.height > MOST:
            raise PolicyError(
                f"column {column.name}: {counts.height} distinct values are too many for pram, {MOST} are not;"
                " generalize it before"
            )
        steps = np.cumsum(self._transition(counts), axis=1)
        draws = column.draws("pram")
        codes = counts.select("value", code=pl.int_range(pl.len(), dtype=pl.Int64))

        def treat(values: "pl.Series", rows: "pl.Series") -> "pl.Series":
            found = pl.DataFrame({"value": values}).join(
                codes, on="value", how="left", maintain_order="left"
            )["code"]
            if found.null_count() != values.null_count():
                raise SourceError(
                    f"column {values.name}: {found.null_count() - values.null_count()} values were not there when the"
                    " column was counted; run again on a source that does not change meanwhile"
                )
            known = np.flatnonzero(found.is_not_null().to_numpy())
            became = np.full(len(values), -1, np.int64)
            became[known] = changed(
                found.drop_nulls().to_numpy(), steps, draws[np.asarray(rows.to_numpy(), np.int64)[known]]
            )
            index = pl.Series(became, dtype=pl.Int64).replace(-1, None).cast(pl.UInt32)
            return codes["value"].gather(index).alias(values.name)

        return treat

    def _categories(self, column: WholeColumn) -> "pl.DataFrame":
        """The values (`value`, sorted, without null) and records `n` of each; those of the matrix too."""
        import polars as pl

        counts = column.counts().drop_nulls("value").select("value", pl.col("n").cast(pl.Int64))
        if self.matrix is not None:
            require_named(
                counts["value"].cast(pl.String), self.matrix, f"column {column.name}: the transition matrix"
            )
            named = pl.Series("value", list(self.matrix), dtype=pl.String).cast(column.dtype, strict=False)
            if named.null_count():
                raise PolicyError(
                    f"column {column.name}: a value of the transition matrix is none of the column's type"
                )
            unseen = pl.DataFrame({"value": named, "n": pl.zeros(len(named), pl.Int64, eager=True)})
            counts = pl.concat([counts, unseen])
        return counts.group_by("value").agg(pl.col("n").sum()).sort("value")

    def _transition(self, counts: "pl.DataFrame") -> "Floats":
        """The K × K matrix: row k has the probabilities of what value k becomes."""
        import numpy as np
        import polars as pl

        size = counts.height
        if self.matrix is None:
            matrix = np.full((size, size), (1 - float(self.retain or 0)) / max(size - 1, 1))
            np.fill_diagonal(matrix, self.retain if size > 1 else 1)
        else:
            names = counts["value"].cast(pl.String).to_list()
            matrix = np.array([[self.matrix[a].get(b, 0.0) for b in names] for a in names]).reshape(
                size, size
            )
        return invariant(matrix, counts["n"].to_numpy().astype(np.float64)) if self.invariant else matrix


def invariant(matrix: "Floats", frequencies: "Floats") -> "Floats":
    """The matrix R = P · Q with frequencies · R = frequencies; see `Pram`."""
    import numpy as np

    joint = matrix * frequencies[:, None]
    arriving = joint.sum(axis=0)
    back = np.divide(joint, arriving, out=np.zeros_like(joint), where=arriving > 0).T
    # what nothing arrives at goes nowhere: its row of Q is never used
    back[arriving <= 0, :] = np.eye(len(matrix))[arriving <= 0, :]
    return np.asarray(matrix @ back)


def changed(codes: "Ints", steps: "Floats", draws: "Draws") -> "Ints":
    """The code that each code becomes. steps: the rows of the matrix summed up; draws: a 64-bit number a code."""
    import numpy as np

    chance = (draws >> np.uint64(11)).astype(np.float64) * 2.0**-53
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(steps) + 1))
    found = np.empty(len(codes), np.int64)
    for code, (first, last) in enumerate(pairwise(bounds)):
        at = order[first:last]
        # the last step may end a hair below 1
        found[at] = np.minimum(np.searchsorted(steps[code], chance[at], side="right"), _last(steps[code]))
    return found


def _last(steps: "Floats") -> int:
    """The last code with a probability above 0."""
    import numpy as np

    return int(np.searchsorted(steps, steps[-1], side="left"))
