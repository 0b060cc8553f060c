"""The rows of a source under names of our own, since a column's name may mean a pattern to the engine."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from anon_platform.analyze.columns.facts import Facts, facts_of, textless
from anon_platform.errors import SourceError


@dataclass(frozen=True)
class Rows:
    """schema: names and types as in the source, in this order. places: by file, the position of each of these columns in it."""

    schema: Mapping[str, pl.DataType]
    places: Mapping[Path, Sequence[int]]

    @classmethod
    def of(
        cls, files: Sequence[Path], schema: Mapping[str, pl.DataType], stored: Mapping[str, str] | None = None
    ) -> "Rows":
        """The rows of Parquet files. stored: the name in the files of each column, where it is another."""
        places = {}
        for file in files:
            with file.open(
                "rb"
            ) as stream:  # an open file, since a name with brackets would be taken for a pattern
                there = {name: place for place, name in enumerate(pl.read_parquet_schema(stream))}
            places[file] = [there[stored[name] if stored is not None else name] for name in schema]
        return cls(schema, places)

    def at(self, name: str) -> str:
        """The name in frames."""
        return f"c{list(self.schema).index(name)}"

    def lazy(self, *names: str) -> pl.LazyFrame:
        """The rows of some columns, not read yet."""
        numbers = [list(self.schema).index(name) for name in names]
        frames = [
            pl.scan_parquet(file, glob=False).select(pl.nth(places[i]).alias(f"c{i}") for i in numbers)
            for file, places in self.places.items()
        ]
        return pl.concat(frames)

    def read(self, name: str) -> pl.Series:
        """A column, in the order of the rows."""
        with readable():
            return self.lazy(name).collect().to_series()

    def facts(self, name: str) -> Facts:
        """The column's facts, from the frequency table of all rows."""
        at, dtype = self.at(name), self.schema[name]
        with readable():
            if textless(dtype) or dtype == pl.Null:
                rows = sum(
                    pl.scan_parquet(file, glob=False).select(pl.len()).collect().item()
                    for file in self.places
                )
                counts = pl.DataFrame([pl.Series("value", [None], dtype=dtype), pl.Series("n", [rows])])
                return facts_of(name, dtype, counts)
            found = self.lazy(name).group_by(at).agg(__n=pl.len()).collect(engine="streaming")
        counts = pl.DataFrame([found[at].alias("value"), found["__n"].alias("n")])
        return facts_of(name, dtype, counts)


@contextmanager
def readable() -> Iterator[None]:
    """What the engine says of a damaged file may quote cells, so it is not passed on."""
    failed = False
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        failed = True
    if failed:
        raise SourceError("a file of the source is damaged, its data cannot be read; copy it anew")
