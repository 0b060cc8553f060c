"""A hierarchy from a file in ARX's format: one line a leaf, coarser labels to the right."""

import csv
import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, PrivateAttr, ValidationInfo, field_serializer, field_validator, model_validator

from anon_platform.anonymize.hierarchy.gaps import require_named
from anon_platform.anonymize.technique import text_fault
from anon_platform.spec import Spec

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl


class CsvHierarchy(Spec):
    """A hierarchy written by hand: first column the value, then one column a level; a last column of `*` may stay."""

    kind: Literal["csv"]
    file: Path = Field(strict=False)
    """Path of the CSV file, from the policy's folder."""
    separator: str = Field(default=";", min_length=1, max_length=1)
    levels: tuple[str, ...] = ()
    """Names of the columns that may be used, finest first: `value`, `level 1`, `level 2` …; all when left out."""

    _digest: str = PrivateAttr(default="")
    _labels: dict[str, tuple[str, ...]] = PrivateAttr(default_factory=dict)

    @field_validator("file")
    @classmethod
    def _resolve(cls, file: Path, info: ValidationInfo) -> Path:
        folder = (info.context or {}).get("folder")
        return Path(folder) / file if folder is not None else file

    @field_serializer("file")
    def _by_content(self, file: Path) -> str:
        # a policy is the same policy wherever it lies: what counts is what the file says
        return f"{file.name}:sha256:{self._digest}"

    @model_validator(mode="after")
    def _read(self) -> Self:
        try:
            content = self.file.read_bytes()
            lines = io.StringIO(content.decode("utf-8-sig"), newline="")
            rows = [row for row in csv.reader(lines, delimiter=self.separator, strict=True) if row]
        except (OSError, UnicodeDecodeError, csv.Error) as fault:
            raise ValueError(f"cannot read hierarchy {self.file.name}: {type(fault).__name__}") from None
        if not rows or len({len(row) for row in rows}) != 1:
            raise ValueError(f"hierarchy {self.file.name}: every line needs the same number of columns")
        columns = [list(column) for column in zip(*rows, strict=True)]
        if len(set(columns[0])) != len(columns[0]):
            raise ValueError(f"hierarchy {self.file.name}: a value stands in the first column twice")
        if len(columns) > 1 and set(columns[-1]) == {"*"}:
            columns.pop()
        names = ["value", *[f"level {i}" for i in range(1, len(columns))]]
        unknown = [level for level in self.levels if level not in names]
        if unknown or list(self.levels) != [name for name in names if name in self.levels]:
            raise ValueError(
                f"hierarchy {self.file.name}: levels go from fine to coarse out of {', '.join(names)}"
            )
        self._digest = hashlib.sha256(content).hexdigest()
        self._labels.update({name: tuple(column) for name, column in zip(names, columns, strict=True)})
        return self

    @property
    def level_names(self) -> tuple[str, ...]:
        """`value`, `level 1` …, as far as the policy allows them."""
        return self.levels or tuple(self._labels)

    def fault(self, dtype: "pl.DataType") -> str | None:
        """Values are compared as text, so they need one."""
        return text_fault(dtype)

    def leaves(self) -> "pl.Series":
        """The first column of the file."""
        import polars as pl

        return pl.Series("leaf", self._labels["value"], dtype=pl.String)

    def labels(self, values: "pl.Series") -> "list[pl.Series]":
        """One series a level; a value that the file does not name raises `HierarchyGapError` with their number."""
        import polars as pl

        table = pl.DataFrame({name: list(column) for name, column in self._labels.items()}).with_columns(
            leaf="value"
        )
        text = values.cast(pl.String)
        require_named(text, self._labels["value"], f"hierarchy {self.file.name}")
        frame = pl.DataFrame({"leaf": text}).join(table, on="leaf", how="left", maintain_order="left")
        return [frame[name] for name in self.level_names]
