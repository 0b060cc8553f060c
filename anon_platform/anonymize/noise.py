"""Additive noise: every number moves by a random amount of a stated size, so that none can be trusted to be exact."""

from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from anon_platform.anonymize.technique import TreatRows, WholeColumn
from anon_platform.errors import PolicyError
from anon_platform.spec import Spec

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import numpy as np
    import numpy.typing as npt
    import polars as pl

    from anon_platform.anonymize.order import Draws

    Floats = npt.NDArray[np.float64]

MOST_DECIMALS = 12
"""Numbers with more decimals are not rounded: a binary fraction has as many as it likes."""

LIMIT = 2.0**62
"""Noise on whole numbers ends here, so that no sum overflows."""

FIRST_DAY, LAST_DAY = -719_162, 2_932_896
"""0001-01-01 and 9999-12-31, in days from 1970-01-01."""


class Noise(Spec):
    """Numbers, and dates in whole days, move by random noise with mean 0, row by row; then they are rounded as they were.

    This is no differential privacy: the noise is not calibrated to what one person can change, it ends where `bottom` and
    `top` clip it, and an outlier stays near where it was, so that only a spread much larger than the noise hides in it.
    Means are kept but for chance, variances grow by the square of the noise's standard deviation, and correlations shrink.
    Each row has its own noise: where a person's rows repeat one number, such as a height, their mean is nearly that number.
    A number of the released data that is at a bound may have been clipped. Nulls, NaN and infinities stay as they are.
    Source: Brand 2002, Microdata Protection through Noise Addition, LNCS 2316; Hundepool et al. 2012, Statistical
    Disclosure Control, chapter 3.
    """

    technique: Literal["noise"]
    distribution: Literal["gaussian", "laplace", "uniform"]
    """The shape of the noise. Uniform noise never moves a number by more than √3 standard deviations."""
    scale: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Standard deviation of the noise in units of the column, days for dates. No default: it is a policy decision."""
    share: float | None = Field(default=None, gt=0, le=10)
    """Instead of `scale`: its share of the standard deviation of the column, such as 0.1."""
    bottom: float | None = Field(default=None, allow_inf_nan=False)
    """Nothing below it leaves; for numbers only."""
    top: float | None = Field(default=None, allow_inf_nan=False)
    """Nothing above it leaves; for numbers only."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.scale is None) == (self.share is None):
            raise ValueError("say how large the noise is: scale: …, such as 2.5, or share: …, such as 0.1")
        if self.bottom is not None and self.top is not None and self.bottom >= self.top:
            raise ValueError("bottom has to be below top")
        return self

    def fault(self, dtype: "pl.DataType") -> str | None:
        """Noise is added to numbers and dates."""
        import polars as pl

        bounds = [bound for bound in (self.bottom, self.top) if bound is not None]
        if dtype == pl.Date:
            return "dates have no bottom and top; remove them" if bounds else None
        if not dtype.is_numeric():
            return "noise needs numbers or dates; declare type: integer, number or date"
        if dtype.is_integer() and any(bound != int(bound) for bound in bounds):
            return "the column holds whole numbers; write whole numbers for top and bottom"
        return None

    def fit_rows(self, column: WholeColumn) -> TreatRows:
        """Each row's number and its noise. A `share` of a column that has one value only raises `PolicyError`."""
        import numpy as np
        import polars as pl

        values = column.in_order()
        known = _plain(values)
        deviation = self._deviation(column.name, known)
        decimals = _decimals(known, column.dtype)
        if len(known) and deviation < 10.0 ** -(decimals if decimals is not None else MOST_DECIMALS) / 2:
            raise PolicyError(
                f"column {column.name}: noise with a standard deviation of {deviation:.2g} is rounded away, since the numbers"
                f" have {decimals} decimals; write a larger {'scale' if self.scale else 'share'}"
            )
        noise = moved(column.draws("noise"), self.distribution, deviation)
        low, high = self._bounds(column.dtype)

        def treat(of_batch: "pl.Series", at: "pl.Series") -> "pl.Series":
            if not len(of_batch):
                return of_batch
            drawn = pl.Series("noise", noise[np.asarray(at.to_numpy(), np.int64)])
            frame = pl.DataFrame({"value": of_batch.alias("value"), "noise": drawn})
            return frame.select(_added(of_batch.dtype, decimals, low, high)).to_series().alias(of_batch.name)

        return treat

    def _deviation(self, name: str, known: "pl.Series") -> float:
        """The standard deviation of the noise. known: the finite numbers of the column."""
        if self.scale is not None:
            return self.scale
        spread = known.std(ddof=0)
        deviation = float(spread) * float(self.share or 0) if isinstance(spread, float) else 0.0
        if len(known) and not deviation > 0:
            raise PolicyError(
                f"column {name}: all its numbers are the same, so that a share of their standard deviation is no noise;"
                " write scale instead of share"
            )
        return deviation

    def _bounds(self, dtype: "pl.DataType") -> tuple[Any, Any]:
        """What leaves lies between these: the policy's bounds, and for whole numbers those of the column's type."""
        if not dtype.is_integer():
            return self.bottom, self.top
        least, most = _ends(dtype)
        low = least if self.bottom is None else max(least, int(self.bottom))
        return low, most if self.top is None else min(most, int(self.top))


def moved(draws: "Draws", distribution: str, deviation: float) -> "Floats":
    """Noise with mean 0 and this standard deviation, one a draw, by the inverse of the distribution function."""
    import numpy as np
    from scipy.special import ndtri

    # the middle of 2^52 equal steps, which a float holds exactly: never 0 or 1, where the inverse is infinite
    chance = ((draws >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
    if distribution == "gaussian":
        return np.asarray(ndtri(chance) * deviation)
    if distribution == "laplace":  # its scale b has the variance 2 b²
        away = chance - 0.5
        return np.asarray(-np.sign(away) * np.log1p(-2 * np.abs(away)) * deviation / 2**0.5)
    return np.asarray((chance - 0.5) * deviation * 12**0.5)


def _added(dtype: "pl.DataType", decimals: int | None, low: Any, high: Any) -> "pl.Expr":  # noqa: ANN401
    """`value` + `noise`, rounded as the values are, between the bounds; of the column's type."""
    import polars as pl

    value, noise = pl.col("value"), pl.col("noise")
    if dtype == pl.Date:
        day = value.cast(pl.Int64) + noise.round().clip(-LIMIT, LIMIT).cast(pl.Int64)
        return day.clip(FIRST_DAY, LAST_DAY).cast(pl.Int32).cast(pl.Date)
    if dtype.is_integer():
        # added as whole numbers: a float has not all of those above 2^53
        return (
            (value.cast(pl.Int128) + noise.round().clip(-LIMIT, LIMIT).cast(pl.Int128))
            .clip(low, high)
            .cast(dtype)
        )
    number = value.cast(pl.Float64)
    found = number + noise
    found = found if decimals is None else found.round(decimals)
    if low is not None or high is not None:
        found = found.clip(low, high)
    return pl.when(number.is_finite()).then(found).otherwise(number).cast(dtype)


def _plain(values: "pl.Series") -> "pl.Series":
    """The finite numbers of a column, dates as days, in floats."""
    import polars as pl

    days = values.cast(pl.Int32) if values.dtype == pl.Date else values
    known = days.cast(pl.Float64).drop_nulls()
    return known.filter(known.is_finite())


def _decimals(known: "pl.Series", dtype: "pl.DataType") -> int | None:
    """Decimals with which all numbers are written; None when that is more than anybody writes by hand."""
    if dtype.is_decimal():
        return int(dtype.scale)  # type: ignore[attr-defined]
    return next((n for n in range(MOST_DECIMALS + 1) if (known.round(n) == known).all()), None)


def _ends(dtype: "pl.DataType") -> tuple[int, int]:
    import polars as pl

    return int(pl.select(dtype.min()).item()), int(pl.select(dtype.max()).item())  # type: ignore[attr-defined]
