"""What a statistic is, as a policy writes it in `statistics:` and as SQL is read to."""

import datetime as dt
import math
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, StrictBool, StrictFloat, StrictInt, StrictStr, model_validator

from anon_platform.spec import Spec

MOST_QUANTILES = 20

Constant = StrictStr | StrictBool | StrictInt | StrictFloat | dt.date
"""What a column is compared with; days are dates or texts such as "2024-03-01"."""

Measurement = Literal[
    "count", "people", "sum", "mean", "variance", "quantiles", "histogram", "target_encoding"
]

AVERAGED = ("mean", "target_encoding")
TAKEN = {"value", "noise", "low", "high", "quantile", "level"}
"""Columns of every result."""

OF_NUMBERS = ("sum", "mean", "variance", "quantiles", "target_encoding")


def _listed(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


def _pair(value: object) -> object:
    return (
        tuple(float(end) if isinstance(end, int) else end for end in value)
        if isinstance(value, list)
        else value
    )


Columns = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Constants = Annotated[tuple[Constant, ...], BeforeValidator(_listed)]


class Condition(Spec):
    """Rows in which the column is as all of these say; a missing value is only as `missing: true` says."""

    column: str
    equals: Constant | None = None
    differs_from: Constant | None = None
    one_of: Constants | None = Field(default=None, min_length=1)
    none_of: Constants | None = Field(default=None, min_length=1)
    at_least: Constant | None = None
    at_most: Constant | None = None
    above: Constant | None = None
    below: Constant | None = None
    missing: bool | None = None
    """true: rows without a value; false: rows with one."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.comparisons and self.missing is None:
            raise ValueError(
                "write what the column is compared with: equals, differs_from, one_of, none_of, at_least, at_most,"
                " above, below or missing"
            )
        if self.comparisons and self.missing:
            raise ValueError("a missing value is compared with nothing; write missing alone")
        for constant in self.constants:
            if isinstance(constant, float) and not math.isfinite(constant):
                raise ValueError("a column is compared with finite numbers")
        return self

    @property
    def comparisons(self) -> dict[str, Constant | tuple[Constant, ...]]:
        """What the column is compared with, by the name of the comparison."""
        names = ("equals", "differs_from", "one_of", "none_of", "at_least", "at_most", "above", "below")
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    @property
    def constants(self) -> tuple[Constant, ...]:
        """All constants in it."""
        found: list[Constant] = []
        for value in self.comparisons.values():
            found += value if isinstance(value, tuple) else [value]
        return tuple(found)


class Statistic(Spec):
    """One differentially private answer for all rows, or for each group of them."""

    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=60)
    measure: Measurement
    """count: rows; people: persons; sum, mean, variance (divided by the number of values), quantiles of numbers;
    histogram: rows by bin; target_encoding: means by group, drawn to the mean of all where a group has few rows."""
    of: str | None = None
    """The column that is added up, averaged or counted by bin; with count: rows in which it is not missing."""
    category: Constant | None = None
    """With sums, means and target encodings of categories: the one whose rows count as 1, all others as 0."""
    by: Columns = ()
    """Columns that make groups: every combination of what their domains name, and of missing, is answered."""
    keys: Literal["public", "found"] = "public"
    """found: only combinations of enough people are found and answered; takes half of this statistic's loss and needs δ."""
    where: Annotated[tuple[Condition, ...], BeforeValidator(_listed)] = ()
    """Only rows for which all of these hold."""
    bounds: Annotated[tuple[float, float] | None, BeforeValidator(_pair)] = None
    """Least and greatest value of `of`, from public knowledge, where they are to differ from those of its domain."""
    quantiles: Annotated[tuple[float, ...], BeforeValidator(_listed)] = ()
    """With measure: quantiles; 0.5 is the median. One measurement answers all of them."""
    share: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    """Its part of the release's loss, beside the shares of the other statistics."""
    negatives: Literal["keep", "zero"] = "keep"
    """zero: below 0 becomes 0, which is never wrong by more, but raises sums of many small numbers."""
    hide_below: int | None = Field(default=None, ge=1)
    """Groups whose noisy number of rows (people) is below it are shown as missing."""
    round_to: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Values are rounded to multiples of it, their intervals outward."""
    totals: Literal["none", "consistent"] = "none"
    """consistent: totals over every column of `by` and its hierarchy are measured too, and agree with their parts."""
    hierarchies: dict[str, dict[str, str]] = Field(default_factory=dict)
    """With totals: for a column of `by` the coarser group of every category."""
    weight: float = Field(default=10.0, gt=0, allow_inf_nan=False)
    """With target_encoding: so many rows at the mean of all are added to each group."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        faults = [*self._faults_of_measure(), *self._faults_of_totals(), *self._faults_of_wording()]
        for wrong, fault in faults:
            if wrong:
                raise ValueError(f"statistic {self.name}: {fault}")
        return self

    def _faults_of_measure(self) -> list[tuple[bool, str]]:
        counted, bounds = self.measure in ("count", "people"), self.bounds or (0.0, 1.0)
        shares = len(self.quantiles) > MOST_QUANTILES or any(not 0 < share < 1 for share in self.quantiles)
        return [
            (self.of is None and not counted, f"{self.measure} of what? name the column under of"),
            (
                self.of is not None and self.measure == "people",
                "people are counted, no column; leave of out, or count rows in which it is not missing",
            ),
            (
                (self.measure == "quantiles") != bool(self.quantiles),
                "measure: quantiles and quantiles: [0.5] go together",
            ),
            (
                shares,
                f"quantiles are up to {MOST_QUANTILES} shares between 0 and 1, such as 0.5 for the median",
            ),
            (len(set(self.quantiles)) < len(self.quantiles), "a quantile stands twice; keep one"),
            (
                self.bounds is not None and self.measure not in OF_NUMBERS,
                "bounds belong to sums, means, variances and quantiles; leave them out",
            ),
            (
                not all(map(math.isfinite, bounds)) or bounds[0] >= bounds[1],
                "bounds are two finite numbers, the least value first",
            ),
            (
                self.category is not None and self.measure not in ("sum", *AVERAGED),
                "a category is for sums, means and target encodings; count it with a condition under where",
            ),
            (
                self.category is not None and self.bounds is not None,
                "rows of a category count as 0 or 1; leave bounds out",
            ),
            (
                self.measure == "target_encoding" and not self.by,
                "a target encoding belongs to the values of a column; name it under by",
            ),
        ]

    def _faults_of_totals(self) -> list[tuple[bool, str]]:
        if self.totals == "none":
            return [(bool(self.hierarchies), "hierarchies belong to totals: consistent")]
        unknown = sorted(set(self.hierarchies) - set(self.by))
        return [
            (
                self.measure not in ("count", "sum", "histogram"),
                "totals are those of counts, sums and histograms; leave totals out",
            ),
            (self.keys == "found", "totals need groups that are named in public; write keys: public"),
            (not self.groups, "totals are over groups; name columns under by, or leave totals out"),
            (
                self.negatives == "zero",
                "where negatives become zero the totals are no longer those of their parts; write negatives: keep",
            ),
            (
                bool(self.hide_below or self.round_to),
                "hidden or rounded values do not add up to their totals; leave hide_below and round_to out",
            ),
            (bool(unknown), f"hierarchies name {', '.join(unknown)}, which is not in by"),
        ]

    def _faults_of_wording(self) -> list[tuple[bool, str]]:
        taken = sorted(TAKEN & {*self.groups})
        return [
            (len(set(self.by)) < len(self.by), "a column stands twice under by; keep one"),
            (
                self.measure == "histogram" and self.of in self.by,
                f"{self.of} is counted by bin already; leave it out of by",
            ),
            (
                self.keys == "found" and not self.by,
                "keys are those of groups; name columns under by",
            ),
            (
                self.hide_below is not None and self.measure == "sum",
                "a sum does not say how many rows it has; leave hide_below out",
            ),
            (
                bool(taken),
                f"a column {', '.join(taken)} cannot be told from the results; rename it in the source",
            ),
        ]

    @property
    def _binned(self) -> tuple[str, ...]:
        return (self.of,) if self.measure == "histogram" and self.of else ()

    @property
    def groups(self) -> tuple[str, ...]:
        """Columns whose combinations are answered: `by`, and the column of a histogram."""
        return (*self.by, *self._binned)

    @property
    def columns(self) -> frozenset[str]:
        """All columns that it reads."""
        of = {self.of} if self.of else set()
        return frozenset({*self.by, *of, *(condition.column for condition in self.where)})
