"""ICD-10 diagnosis codes, of the WHO and ICD-10-CM: code, category, block, chapter."""

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from anon_platform.anonymize.hierarchy.order import in_order
from anon_platform.spec import Spec

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl

Icd10Level = Literal["code", "category", "block", "chapter"]
ORDER: tuple[Icd10Level, ...] = ("code", "category", "block", "chapter")

PATTERN = r"^([A-Z][0-9][0-9AB])\.?([0-9A-Z]{0,4})[.†*+#!-]*$"
"""Category and the up to four characters behind it; marks of use, such as a dagger, are no part of the code."""


class Icd10(Spec):
    """ICD-10 diagnoses with or without dot, in any case (`e119` is `E11.9`); what is no code becomes `other`."""

    kind: Literal["icd10"]
    levels: tuple[Icd10Level, ...] = Field(min_length=1)
    """From finest to coarsest, out of code (E11.9), category (E11), block (E08-E14), chapter."""

    _check = in_order(ORDER)

    @property
    def level_names(self) -> tuple[str, ...]:
        """The allowed levels."""
        return self.levels

    def fault(self, dtype: "pl.DataType") -> str | None:
        """Codes are text."""
        import polars as pl

        return None if dtype == pl.String else "ICD-10 codes are text; declare type: string"

    def labels(self, values: "pl.Series") -> "list[pl.Series]":
        """`E11.9`, `E11`, `E08-E14 Diabetes mellitus`, the chapter's title."""
        import polars as pl

        text = pl.col("value").str.strip_chars().str.to_uppercase()
        frame = pl.DataFrame({"value": values}).with_columns(
            category=text.str.extract(PATTERN, 1), tail=text.str.extract(PATTERN, 2)
        )
        frame = frame.join(_categories(), on="category", how="left", maintain_order="left")
        tail = pl.when(pl.col("tail") != "").then(pl.concat_str(pl.lit("."), "tail")).otherwise(pl.lit(""))
        texts = {
            "code": pl.concat_str("category", tail),
            "category": pl.col("category"),
            "block": pl.col("block"),
            "chapter": pl.col("chapter"),
        }
        null, known = pl.col("value").is_null(), pl.col("block").is_not_null()
        return [
            frame.select(
                pl.when(null)
                .then(None)
                .when(known)
                .then(texts[level])
                .otherwise(pl.lit("other"))
                .alias(level)
            ).to_series()
            for level in self.levels
        ]


@cache
def _categories() -> "pl.DataFrame":
    """Every three-character category with the block and chapter it belongs to."""
    import polars as pl

    path = files("anon_platform.anonymize") / "data" / "icd10_blocks.csv"
    rows: list[tuple[str, str, str]] = []
    for first, last, block, chapter in pl.read_csv(path.read_bytes(), infer_schema=False).iter_rows():
        if first == last:  # also categories such as I5A, which no range holds
            rows.append((first, block, chapter))
            continue
        numbers = range(int(first[1:]), int(last[1:]) + 1)
        rows += [(f"{first[0]}{number:02d}", block, chapter) for number in numbers]
    return pl.DataFrame(rows, schema=["category", "block", "chapter"], orient="row")
