"""US ZIP codes: five digits, three digits, state."""

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from anon_platform.anonymize.hierarchy.order import in_order
from anon_platform.spec import Spec

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl

ZipLevel = Literal["zip5", "zip3", "state"]
ORDER: tuple[ZipLevel, ...] = ("zip5", "zip3", "state")


SMALL = 20_000
"""People in all areas of a prefix, up to which it may not be shown."""


class Zip(Spec):
    """US ZIP codes (ZIP+4 is cut to five digits); what is no ZIP code becomes `other`."""

    kind: Literal["zip"]
    levels: tuple[ZipLevel, ...] = Field(min_length=1)
    """From finest to coarsest, out of zip5, zip3, state."""
    small_prefixes: Literal["000"] | None = None
    """Written as "000": from zip3 on, prefixes of 20,000 people or fewer, and unknown ones, all become 000."""

    _check = in_order(ORDER)

    @property
    def level_names(self) -> tuple[str, ...]:
        """The allowed levels."""
        return self.levels

    def fault(self, dtype: "pl.DataType") -> str | None:
        """ZIP codes are text: as numbers they lose their leading zeros."""
        import polars as pl

        return (
            None
            if dtype == pl.String
            else "ZIP codes are text; declare type: string, so that leading zeros stay"
        )

    def labels(self, values: "pl.Series") -> "list[pl.Series]":
        """`60614`, `606**`, `IL`; with small prefixes as 000: `000**` and `000` for them.

        Source: 45 CFR 164.514(b)(2)(i)(B), with the population of the prefixes in the 2010 census.
        """
        import polars as pl

        table = _states()
        code = pl.col("value").str.extract(r"^\s*([0-9]{5})(?:-?[0-9]{4})?\s*$")
        frame = (
            pl.DataFrame({"value": values})
            .with_columns(code=code)
            .with_columns(prefix=pl.col("code").str.slice(0, 3))
        )
        frame = frame.join(table, on="prefix", how="left", maintain_order="left")
        texts = {
            "zip5": pl.col("code"),
            "zip3": pl.concat_str("prefix", pl.lit("**")),
            "state": pl.when(pl.col("code").is_not_null()).then(pl.col("state").fill_null("no state")),
        }
        if self.small_prefixes is not None:
            small = pl.col("code").is_not_null() & ~(pl.col("people") > SMALL).fill_null(value=False)
            texts["zip3"] = pl.when(small).then(pl.lit("000**")).otherwise(texts["zip3"])
            texts["state"] = pl.when(small).then(pl.lit("000")).otherwise(texts["state"])
        known = pl.col("value").is_null()
        return [
            frame.select(
                pl.when(known).then(None).otherwise(texts[level].fill_null("other")).alias(level)
            ).to_series()
            for level in self.levels
        ]


def populations() -> dict[str, int]:
    """People by three-digit prefix, in the 2010 census."""
    table = _states()
    return dict(zip(table["prefix"].to_list(), table["people"].to_list(), strict=True))


@cache
def _states() -> "pl.DataFrame":
    import polars as pl

    path = files("anon_platform.anonymize") / "data" / "zip3_2010.csv"
    table = pl.read_csv(path.read_bytes(), infer_schema=False)
    return table.select(prefix="zip3", state="state", people=pl.col("pop2010").cast(pl.Int64))
