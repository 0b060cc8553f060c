"""The privacy models of a sensitive column as settings: what every class must meet, and the number that says by how much.

A model is bound to the values of its column before it is measured: `bound` fixes the order or the hierarchy of
the value codes. All of them are monotone: with the reference distribution fixed, two classes that meet one meet
it together, so that coarser is never worse and a search may prune.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, Self

from pydantic import Field, model_validator

from anon_platform.errors import PolicyError
from anon_platform.frequency import closeness, diversity, likeness
from anon_platform.frequency.cells import Cells
from anon_platform.spec import Spec

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    from anon_platform.frequency.cells import Floats, Ints

    Met = npt.NDArray[np.bool_]

HAIR = 1e-9
"""A measure may miss its bound by so much, since sums in another order differ in their last digits."""


class ClassModel(Protocol):
    """A model bound to the values of a column: codes 0 to v − 1 stand for the values it was bound to."""

    monotone: ClassVar[bool]
    """Whether the union of two classes that meet the model meets it, the reference distribution unchanged."""

    def measure(self, cells: Cells) -> "Floats":
        """The number that the model bounds, one a class."""
        ...

    def met(self, cells: Cells) -> "Met":
        """For each class whether it meets the model; an empty class does."""
        ...

    def possible(self, overall: "Floats", records: int, left_out: float = 1.0) -> str | None:
        """Why no class can meet the model whatever is generalized, and what can be met; None when one may.

        left_out: the share of records that may be suppressed. Below 1 what is demanded of the records that stay is
        weighed too: they all together are a class, and since the model is monotone it must meet it.
        """
        ...


class ColumnModel(Protocol):
    """A model of the policy, before its column is known."""

    monotone: ClassVar[bool]
    """As in `ClassModel`."""

    @property
    def model(self) -> str:
        """The name of the model."""
        ...

    at_least: ClassVar[bool]
    """Whether the measure has to reach the threshold, or to stay below it."""
    unit: ClassVar[str]

    @property
    def label(self) -> str:
        """The name of the measure in assessment and report."""
        ...

    @property
    def threshold(self) -> float:
        """The number that the measure is held against."""
        ...

    def bound(self, values: "pl.Series") -> ClassModel:
        """The model for a column whose code c stands for `values[c]`; a column that it cannot measure raises `PolicyError`."""
        ...


class _Unordered(Spec):
    """Models for which values are equal or not, and nothing else."""

    monotone: ClassVar[bool] = True

    def bound(self, values: "pl.Series") -> "ClassModel":
        """The model itself: it needs nothing of the values."""
        del values
        return self  # type: ignore[return-value]


class DistinctL(_Unordered):
    """Every class has at least `l` distinct values of the column.

    Monotone: the values of a union are those of both. Source: Machanavajjhala et al. 2007, definition 3.1.
    """

    model: Literal["distinct_l"]
    l: int = Field(ge=1)
    """Distinct values in a class, at least."""

    at_least: ClassVar[bool] = True
    unit: ClassVar[str] = "distinct values in a class"
    label: ClassVar[str] = "distinct l"

    @property
    def threshold(self) -> float:
        """The l of the policy."""
        return float(self.l)

    def measure(self, cells: Cells) -> "Floats":
        """Distinct values in each class."""
        return diversity.distinct_values(cells)

    def met(self, cells: Cells) -> "Met":
        """At least l."""
        return self.measure(cells) >= self.l

    def possible(self, overall: "Floats", records: int, left_out: float = 1.0) -> str | None:
        """An l above the number of values, or of records."""
        del left_out
        distinct = min(int((overall > 0).sum()), records)
        if self.l <= distinct:
            return None
        return f"{self.l} distinct values demanded, there are {distinct}; write l: {distinct} or less"


class EntropyL(_Unordered):
    """The values of every class are as uncertain as `l` equally likely ones: exp(entropy) ≥ l.

    Monotone: entropy is concave, so that of a mixture is not below the least of its parts
    (Machanavajjhala et al. 2007, monotonicity). Source: the same, definition 4.1.
    """

    model: Literal["entropy_l"]
    l: float = Field(ge=1)
    """Equally likely values, at least; need not be whole."""

    at_least: ClassVar[bool] = True
    unit: ClassVar[str] = "equally likely values"
    label: ClassVar[str] = "entropy l"

    @property
    def threshold(self) -> float:
        """The l of the policy."""
        return self.l

    def measure(self, cells: Cells) -> "Floats":
        """exp(entropy) of each class."""
        return diversity.entropy_number(cells)

    def met(self, cells: Cells) -> "Met":
        """At least l."""
        return self.measure(cells) >= self.l - HAIR

    def possible(self, overall: "Floats", records: int, left_out: float = 1.0) -> str | None:
        """An l above exp(entropy) of the most even table that may stay."""
        import numpy as np

        shares = diversity.leveled(overall, left_out)
        shares = shares[shares > 0]
        most = min(float(np.exp(-(shares * np.log(shares)).sum())), float(records)) if len(shares) else 0.0
        if self.l <= most + HAIR:
            return None
        return f"entropy of {self.l:g} values demanded, {_floor(most)} can be reached; write l: {_floor(most)} or less"


class RecursiveL(_Unordered):
    """In every class the commonest value is below `c` times all but the `l` − 1 commonest: r₁ < c (r_l + … + r_m).

    Monotone (Machanavajjhala et al. 2007): r₁ of a union is at most the sum of both r₁, and what is
    left without any l − 1 values is at least the sum of what is left of both. Source: the same, definition 4.2.
    """

    model: Literal["recursive_l"]
    c: float = Field(gt=0)
    """How often the commonest value may outweigh the rare ones, less than."""
    l: int = Field(ge=2)
    """The rare values begin at the l-th commonest."""

    at_least: ClassVar[bool] = False
    unit: ClassVar[str] = "ratio of the commonest to the rare values"

    @property
    def label(self) -> str:
        """With its l: a column may have several."""
        return f"recursive c (l = {self.l})"

    @property
    def threshold(self) -> float:
        """The c of the policy."""
        return self.c

    def measure(self, cells: Cells) -> "Floats":
        """The ratio r₁ / (r_l + …) of each class."""
        return diversity.commonest_against_rare(cells, self.l)

    def met(self, cells: Cells) -> "Met":
        """Below c."""
        return self.measure(cells) < self.c

    def possible(self, overall: "Floats", records: int, left_out: float = 1.0) -> str | None:
        """An l above the number of values, or c not above the ratio of the most even table that may stay."""
        shares = diversity.leveled(overall, left_out)
        distinct = min(len(shares), records)
        if self.l > distinct:
            return (
                f"l of {self.l} demanded, there are {distinct} distinct values; write l: {distinct} or less"
            )
        least = float(shares[0] / shares[self.l - 1 :].sum())
        if self.c > least - HAIR:
            return None
        return f"c of {self.c:g} demanded, it must be above {_ceil(least)}; write a larger c, or a smaller l"


class _AtMost(Spec):
    """Distances: one class alone or all records together have none, so that one can always be met."""

    monotone: ClassVar[bool] = True
    at_least: ClassVar[bool] = False
    unit: ClassVar[str] = "distance, 0 to 1"

    def possible(self, overall: "Floats", records: int, left_out: float = 1.0) -> str | None:
        """Always: all records in one class are as the table is."""
        del overall, records, left_out
        return None


class TCloseness(_AtMost, _Unordered):
    """The distribution in every class is at most `t` from that of the table, all values equally far apart.

    Monotone: total variation is convex (Li et al. 2007, generalization property, section 4.3). Source: the same,
    section 4.2.
    """

    model: Literal["t_closeness"]
    distance: Literal["equal"]
    t: float = Field(ge=0, le=1)
    """Distance, at most."""

    label: ClassVar[str] = "t (equal)"

    @property
    def threshold(self) -> float:
        """The t of the policy."""
        return self.t

    def measure(self, cells: Cells) -> "Floats":
        """Total variation."""
        return closeness.equal_distance(cells)

    def met(self, cells: Cells) -> "Met":
        """At most t."""
        return self.measure(cells) <= self.t + HAIR


class OrderedTCloseness(_AtMost):
    """The distribution in every class is at most `t` from that of the table, values as far apart as in their order.

    Numbers, dates and truth values stand in their own order; text needs one. A null ranks below all values.
    Monotone: the earth mover's distance is convex (Li et al. 2007, section 4.3). Source: the same, section 4.1.
    """

    model: Literal["t_closeness"]
    distance: Literal["ordered"]
    t: float = Field(ge=0, le=1)
    """Distance, at most."""
    order: tuple[str, ...] | None = Field(default=None, min_length=2)
    """For text: all values, from lowest to highest."""
    alphabetical: Literal[True] | None = None
    """For text, instead of `order`: the alphabet is the order."""

    label: ClassVar[str] = "t (ordered)"

    @model_validator(mode="after")
    def _one_order(self) -> Self:
        if self.order is not None and self.alphabetical is not None:
            raise ValueError("write either order: [lowest, …, highest] or alphabetical: true")
        if self.order is not None and len(set(self.order)) != len(self.order):
            raise ValueError("a value stands in order twice; keep one")
        return self

    @property
    def threshold(self) -> float:
        """The t of the policy."""
        return self.t

    def bound(self, values: "pl.Series") -> "OrderedBound":
        """With the rank of each value; text without an order, or a value that the order lacks, raises `PolicyError`."""
        import numpy as np
        import polars as pl

        if self.order is not None:
            listed = pl.DataFrame({"value": self.order, "place": np.arange(len(self.order))})
            text = pl.DataFrame({"value": values.cast(pl.String)})
            found = text.join(listed, on="value", how="left", maintain_order="left")["place"]
            lacking = int((found.is_null() & values.is_not_null()).sum())
            if lacking:
                raise PolicyError(
                    f"order does not name {lacking} of the column's values; add them in their place"
                )
            key = found
        elif values.dtype == pl.String and self.alphabetical is None:
            raise PolicyError(
                "text has no order of its own; write order: [lowest, …, highest], or alphabetical: true"
            )
        else:
            key = values
        place = np.empty(len(values), np.int64)
        place[key.arg_sort(nulls_last=False).to_numpy()] = np.arange(len(values))
        return OrderedBound(self.t, place)


class _Bound:
    """t-closeness over value codes whose distances are known: at most t."""

    monotone: ClassVar[bool] = True

    def __init__(self, t: float, distance: "Callable[[Cells], Floats]") -> None:
        self.t = t
        self.distance = distance

    def measure(self, cells: Cells) -> "Floats":
        """Earth mover's distance of each class."""
        return self.distance(cells)

    def met(self, cells: Cells) -> "Met":
        """At most t."""
        return self.measure(cells) <= self.t + HAIR

    def possible(self, overall: "Floats", records: int, left_out: float = 1.0) -> str | None:
        """Always: all records in one class are as the table is."""
        del overall, records, left_out
        return None


class OrderedBound(_Bound):
    """Ordered t-closeness; rank: of each value code, 0 to v − 1."""

    def __init__(self, t: float, rank: "Ints") -> None:
        super().__init__(t, partial(closeness.ordered_distance, rank=rank))
        self.rank = rank


class HierarchicalBound(_Bound):
    """Hierarchical t-closeness; levels: H × v, the ancestors of each value code, from the values to the root's children."""

    def __init__(self, t: float, levels: "Ints") -> None:
        super().__init__(t, partial(closeness.hierarchical_distance, levels=levels))


class BetaLikeness(_AtMost, _Unordered):
    """No value's share in a class exceeds its share in the table by more than `beta` times that share.

    Monotone: a share in a union lies between those of its parts. Source: Cao, Karras 2012.
    """

    model: Literal["beta_likeness"]
    beta: float = Field(gt=0)
    """Gain relative to the share in the table, at most."""
    enhanced: bool
    """Whether a common value may gain less than a rare one: min(beta, −ln p)."""

    unit: ClassVar[str] = "relative gain"

    @property
    def label(self) -> str:
        """Basic or enhanced."""
        return "beta (enhanced)" if self.enhanced else "beta"

    @property
    def threshold(self) -> float:
        """The beta of the policy."""
        return self.beta

    def measure(self, cells: Cells) -> "Floats":
        """The greatest relative gain, scaled to beta when enhanced."""
        if self.enhanced:
            return likeness.relative_gain_enhanced(cells, self.beta)
        return likeness.relative_gain(cells)

    def met(self, cells: Cells) -> "Met":
        """At most beta."""
        return self.measure(cells) <= self.beta + HAIR


class DeltaDisclosure(_AtMost, _Unordered):
    """Every value of the table has in every class a share of less than 2^delta times more or less than in the table.

    Monotone: a share in a union lies between those of its parts. Source: Brickell, Shmatikov 2008.
    """

    model: Literal["delta_disclosure"]
    delta: float = Field(gt=0)
    """In bits, less than."""

    unit: ClassVar[str] = "bits"
    label: ClassVar[str] = "delta"

    @property
    def threshold(self) -> float:
        """The delta of the policy."""
        return self.delta

    def measure(self, cells: Cells) -> "Floats":
        """The greatest |log₂ (q / p)|."""
        return likeness.log_ratio(cells)

    def met(self, cells: Cells) -> "Met":
        """Below delta."""
        return self.measure(cells) < self.delta


CLASS_MODELS = (DistinctL, EntropyL, RecursiveL, TCloseness, OrderedTCloseness, BetaLikeness, DeltaDisclosure)


def _floor(number: float) -> str:
    """Three decimals, rounded down, so that writing it is enough."""
    return f"{int(number * 1000) / 1000:g}"


def _ceil(number: float) -> str:
    return f"{-int(-number * 1000 // 1) / 1000:g}"
