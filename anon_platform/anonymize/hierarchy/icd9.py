"""ICD-9-CM diagnosis codes: code, category, block, chapter."""

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from anon_platform.anonymize.hierarchy.order import in_order
from anon_platform.spec import Spec

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl

Icd9Level = Literal["code", "category", "block", "chapter"]
ORDER: tuple[Icd9Level, ...] = ("code", "category", "block", "chapter")


class Icd9(Spec):
    """ICD-9-CM diagnoses; leading zeros may be missing (`8` is `008`), and what is no code becomes `other`."""

    kind: Literal["icd9"]
    levels: tuple[Icd9Level, ...] = Field(min_length=1)
    """From finest to coarsest, out of code (250.83), category (250), block (249-259), chapter."""

    _check = in_order(ORDER)

    @property
    def level_names(self) -> tuple[str, ...]:
        """The allowed levels."""
        return self.levels

    def fault(self, dtype: "pl.DataType") -> str | None:
        """Codes are text: as numbers they lose their zeros."""
        import polars as pl

        return None if dtype == pl.String else "ICD-9 codes are text; declare type: string"

    def labels(self, values: "pl.Series") -> "list[pl.Series]":
        """`250.83`, `250`, `249-259 Diseases of other endocrine glands`, the chapter's title."""
        import polars as pl

        text = pl.col("value").str.strip_chars().str.to_uppercase()
        head = text.str.extract(r"^(E\d{1,3}|V\d{1,2}|\d{1,3})(?:\.\d{0,2})?$")
        frame = pl.DataFrame({"value": values}).with_columns(
            head=head, tail=text.str.extract(r"(\.\d{1,2})$")
        )
        frame = frame.with_columns(category=_padded(pl.col("head")))
        frame = frame.join(_categories(), on="category", how="left", maintain_order="left")
        known = pl.col("block").is_not_null()
        texts = {
            "code": pl.when(known).then(pl.concat_str("category", pl.col("tail").fill_null(""))),
            "category": pl.when(known).then("category"),
            "block": pl.col("block"),
            "chapter": pl.col("chapter"),
        }
        null = pl.col("value").is_null()
        return [
            frame.select(
                pl.when(null).then(None).otherwise(texts[level].fill_null("other")).alias(level)
            ).to_series()
            for level in self.levels
        ]


def _padded(head: "pl.Expr") -> "pl.Expr":
    import polars as pl

    letter = head.str.extract(r"^([EV])").fill_null("")
    digits = head.str.extract(r"(\d+)$")
    width = pl.when(letter == "V").then(digits.str.zfill(2)).otherwise(digits.str.zfill(3))
    return pl.when(head.is_not_null()).then(pl.concat_str(letter, width))


@cache
def _categories() -> "pl.DataFrame":
    """Every three-character category with the block and chapter it belongs to."""
    import polars as pl

    path = files("anon_platform.anonymize") / "data" / "icd9_blocks.csv"
    rows: list[tuple[str, str, str]] = []
    for first, last, block, chapter in pl.read_csv(path.read_bytes(), infer_schema=False).iter_rows():
        letter = first[0] if first[0].isalpha() else ""
        start, end = int(first.removeprefix(letter)), int(last.removeprefix(letter))
        width = len(first) - len(letter)
        span = first if first == last else f"{first}-{last}"
        rows += [(f"{letter}{n:0{width}d}", f"{span} {block}", chapter) for n in range(start, end + 1)]
    return pl.DataFrame(rows, schema=["category", "block", "chapter"], orient="row")
