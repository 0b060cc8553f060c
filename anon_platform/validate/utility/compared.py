"""Each released column beside its original: which label every value became, and where the mass of a label lies.

A label is compared by what it covers, never by how it is spelled. What it covers is known from counts: the values of the
source that it stands for. Mass of a label of numbers or dates is spread evenly over the span of these values, that of a
label of categories in equal shares over them: what a reader can do who knows the label alone, as NIST's scores and ARX
do with binned values (uniformity assumption; LeFevre, DeWitt, Ramakrishnan 2006, section 5.4).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from anon_platform.anonymize import OfPeople, OfRecords
from anon_platform.validate.evidence import Evidence
from anon_platform.validate.files import alike, read_released
from anon_platform.validate.utility.distances import Mass
from anon_platform.validate.utility.fidelity import ColumnFidelity, fidelity_of

VALUE, LABEL = "value", "label"

GRID = 100_000
"""Whole numbers in the range of a column up to which its mass is put on whole numbers; beyond it is a density."""

PAIRS = 2_000_000
"""Pairs of value and label that are looked at one by one for local recodings; for more the values seen with a label count."""


@dataclass(frozen=True)
class Compared:
    """One released column. before: `value`, `label` and `n` records of the source; after: `label` and `n` released.

    Dates are days (timestamps too), so that every value is a number, a truth value or a text. fidelity: on the values
    before that. whole: covers are known; of a column whose values moved person by person they are not.
    reach: pairs of `value` and `label`, where a label covers more than the values that it was seen with.
    """

    name: str
    fidelity: ColumnFidelity
    before: pl.DataFrame
    after: pl.DataFrame
    whole: bool = True
    reach: pl.DataFrame | None = None

    @property
    def expected(self) -> pl.DataFrame:
        """The source at released detail: `label` and `n`."""
        return self.before.group_by(LABEL, maintain_order=True).agg(pl.col("n").sum())

    @property
    def numeric(self) -> bool:
        """Whether its values are numbers or dates."""
        return self.before.schema[VALUE].is_numeric()

    @cached_property
    def whole_numbers(self) -> bool:
        """Whether its mass lies on whole numbers; see `GRID`."""
        known = self.before[VALUE].drop_nulls()
        if not self.before.schema[VALUE].is_integer() or not len(known):
            return False
        return int(known.max()) - int(known.min()) <= GRID  # type: ignore[arg-type]

    @cached_property
    def covers(self) -> pl.DataFrame:
        """Distinct pairs of `label` and the `value` that it covers; nulls are values."""
        seen = self.before.select(LABEL, VALUE).unique().sort(LABEL, VALUE)
        if self.reach is None:
            return seen
        return pl.concat([seen, self.reach.select(LABEL, VALUE)]).unique().sort(LABEL, VALUE)

    @cached_property
    def spans(self) -> pl.DataFrame:
        """Of a numeric column for each label the span `low`, `high` of the known values that it covers."""
        return (
            self.covers.drop_nulls(VALUE)
            .group_by(LABEL, maintain_order=True)
            .agg(low=pl.col(VALUE).min().cast(pl.Float64), high=pl.col(VALUE).max().cast(pl.Float64))
        )

    def original_mass(self) -> Mass | None:
        """The mass of the known original numbers; None without any."""
        known = self.before.drop_nulls(VALUE).group_by(VALUE, maintain_order=True).agg(pl.col("n").sum())
        at = known[VALUE].cast(pl.Float64).to_numpy()
        whole = self.whole_numbers
        return Mass.of(at, at, known["n"].to_numpy(), whole=whole) if len(at) else None

    def released_mass(self) -> Mass | None:
        """The mass of the released ones, spread; None without any. A released number stands for itself."""
        spread = self.spread_labels().drop_nulls(["low", "high"])
        if not spread.height:
            return None
        low, high = (spread[side].to_numpy() for side in ("low", "high"))
        return Mass.of(low, high, spread["n"].to_numpy(), whole=self._on_whole(spread))

    def _on_whole(self, spread: pl.DataFrame) -> bool:
        """Noise or means of groups may lie between whole numbers."""
        ends = pl.concat([spread["low"], spread["high"]])
        return self.whole_numbers and bool((ends == ends.round()).all())

    def spread_labels(self) -> pl.DataFrame:
        """`label`, `n`, `low`, `high` of the released labels; null ends where the value is missing."""
        if self.after.schema[LABEL].is_numeric():
            number = pl.col(LABEL).cast(pl.Float64).fill_nan(None)
            return self.after.with_columns(low=number, high=number)
        known = self.before[VALUE].drop_nulls()
        spread = self.after.join(self.spans, on=LABEL, how="left", nulls_equal=True, maintain_order="left")
        if not len(known):
            return spread
        # what no value of the source became says nothing of its value
        unseen = pl.col("low").is_null() & pl.col(LABEL).is_not_null()
        ends = {"low": float(known.min()), "high": float(known.max())}  # type: ignore[arg-type]
        return spread.with_columns(
            pl.when(unseen).then(end).otherwise(pl.col(side)).alias(side) for side, end in ends.items()
        )


def compared(evidence: Evidence) -> Iterator[Compared]:
    """One a released column whose values are functions of values, in the policy's order; texts are not compared."""
    policy = evidence.policy
    together = () if evidence.recoded is None else evidence.recoded.columns
    joint = evidence.source.counts(list(together)) if together else pl.DataFrame()
    for name in policy.released:
        steps = policy.columns[name].treat
        if any(isinstance(step, OfPeople) for step in steps) and evidence.as_left is not None:
            counts = evidence.as_left.counts([name])
            yield _compared(evidence, name, counts.with_columns(pl.col(name).alias(LABEL)), whole=False)
        elif not any(isinstance(step, OfRecords) for step in steps):
            counts = joint if name in together else evidence.source.counts([name])
            labels = evidence.at_released_detail(counts, [name])[name]
            yield _compared(evidence, name, counts.with_columns(labels.alias(LABEL)))


def _compared(evidence: Evidence, name: str, counts: pl.DataFrame, *, whole: bool = True) -> Compared:
    """counts: over the column, the label that each value became and perhaps others."""
    after = read_released(evidence.data, [name]).group_by(name, maintain_order=True).agg(n=pl.len())
    wanted, found = alike(counts[LABEL], after[name])
    expected = (
        pl.DataFrame({name: wanted, "n": counts["n"]})
        .group_by(name, maintain_order=True)
        .agg(pl.col("n").sum())
    )
    fidelity = fidelity_of(name, counts[name].n_unique(), expected, after.with_columns(found.alias(name)))
    before = pl.DataFrame({VALUE: in_numbers(counts[name]), LABEL: in_numbers(wanted), "n": counts["n"]})
    released = pl.DataFrame({LABEL: in_numbers(found), "n": after["n"]})
    return Compared(
        name,
        fidelity,
        # in one order, whatever engine counted: sums of the same numbers differ in their last digits otherwise
        before.group_by(VALUE, LABEL).agg(pl.col("n").sum()).sort(VALUE, LABEL),
        released.group_by(LABEL).agg(pl.col("n").sum()).sort(LABEL),
        whole,
        _reach(evidence, name, counts) if whole else None,
    )


def _reach(evidence: Evidence, name: str, counts: pl.DataFrame) -> pl.DataFrame | None:
    """For a locally recoded column what its labels cover beside the values that they were seen with."""
    if evidence.recoded is None or name not in evidence.recoded.columns:
        return None
    values, labels = counts[name].unique(), counts[LABEL].unique().drop_nulls()
    if len(values) * len(labels) > PAIRS:
        return None
    pairs = pl.DataFrame({name: values}).join(pl.DataFrame({LABEL: labels}), how="cross")
    treated = evidence.treat[name](pairs[name])
    good = evidence.recoded.covers[name](treated, pairs[LABEL])
    found = pairs.filter(good)
    return pl.DataFrame({VALUE: in_numbers(found[name]), LABEL: found[LABEL]})


def in_numbers(values: pl.Series) -> pl.Series:
    """Dates and timestamps as the number of their day; other values as they are, NaN as missing.

    >>> import datetime as dt
    >>> in_numbers(pl.Series([dt.datetime(1970, 1, 2, 12), None])).to_list()
    [1, None]
    """
    if values.dtype == pl.Date or isinstance(values.dtype, pl.Datetime):
        return values.dt.date().to_physical().cast(pl.Int64)
    if values.dtype in (pl.Time, pl.Duration) or isinstance(values.dtype, pl.Duration):
        return values.to_physical().cast(pl.Int64)
    if values.dtype.is_float():
        return values.fill_nan(None)
    if isinstance(values.dtype, pl.Decimal):
        return values.cast(pl.Float64)
    return values
