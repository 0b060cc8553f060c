"""What counts the rows; the released data is the same whatever counts."""

import re
from typing import Literal, Self

from pydantic import field_validator, model_validator

from anon_platform.spec import Spec

_LIMIT = re.compile(r"([1-9][0-9]{0,5})(MB|GB|TB)")
_BYTES = {"MB": 10**6, "GB": 10**9, "TB": 10**12}
_LEAST = 100 * 10**6


class Engine(Spec):
    """What counts the rows: Polars in memory, or DuckDB, which goes to disk. The released data is the same."""

    kind: Literal["auto", "polars", "duckdb"] = "auto"
    """auto: DuckDB when the snapshot would take more than a quarter of the machine's memory, else Polars."""
    memory_limit: str | None = None
    """Memory that DuckDB may use before it goes to disk, such as 2GB; a quarter of the machine's when left out."""

    @field_validator("memory_limit")
    @classmethod
    def _readable(cls, limit: str | None) -> str | None:
        if limit is not None and ((found := _LIMIT.fullmatch(limit)) is None or _bytes(found) < _LEAST):
            raise ValueError("write a whole number with MB, GB or TB, at least 100MB, such as 2GB")
        return limit

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if self.kind == "polars" and self.memory_limit is not None:
            raise ValueError("Polars has no memory_limit; remove it, or write kind: duckdb")
        return self

    @property
    def memory_bytes(self) -> int | None:
        """The memory limit in bytes, if there is one."""
        found = _LIMIT.fullmatch(self.memory_limit or "")
        return None if found is None else _bytes(found)

    def in_words(self) -> str:
        """What counts, and with how much memory, in a few words."""
        names = {"auto": "Polars, or DuckDB when the data is large", "polars": "Polars", "duckdb": "DuckDB"}
        within = f", within {self.memory_limit} of memory" if self.memory_limit else ""
        return names[self.kind] + within


def _bytes(limit: re.Match[str]) -> int:
    return int(limit[1]) * _BYTES[limit[2]]
