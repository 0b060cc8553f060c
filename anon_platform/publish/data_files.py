"""Released rows written in secret order, in parts, with bounded memory."""

import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from anon_platform.table import PERSON, ROW

PART_ROWS = 500_000
"""Rows a file, about: small enough that one part is shuffled in memory."""


@dataclass(frozen=True)
class Written:
    """kept: ROW and PERSON of each released row, in file order; they stay in staging."""

    kept: pl.DataFrame
    files: tuple[Path, ...]


def write_data(
    frames: Iterable[pl.DataFrame],
    folder: Path,
    *,
    columns: Sequence[str],
    schema: pl.Schema,
    formats: Sequence[str],
    parts: int,
    part_of: Callable[[pl.Series], pl.Series],
    order: Callable[[pl.DataFrame], pl.DataFrame],
) -> Written:
    """Writes `folder/part-00000.parquet` and/or `.csv` …, and says which source row became which.

    frames: treated rows with ROW, PERSON and `columns`. They are dealt to parts on disk first and each
    part is then put in order by itself, so the whole is shuffled though no more than a part is in memory.
    """
    scatter = folder.with_name("scatter")
    scatter.mkdir(parents=True)
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames):
        dealt = frame.with_columns(part_of(frame[ROW]).alias("__part__"))
        for (part,), piece in dealt.group_by(["__part__"], maintain_order=True):
            piece.drop("__part__").write_parquet(
                scatter / f"{part:05d}-{number:07d}.parquet", compression="lz4"
            )
    kept, files = [], []
    for part in range(parts):
        pieces = sorted(scatter.glob(f"{part:05d}-*.parquet"))
        whole = (
            order(pl.concat([pl.read_parquet(piece, glob=False) for piece in pieces]))
            if pieces
            else pl.DataFrame(schema=schema)
        )
        kept.append(whole.select(ROW, PERSON))
        released = whole.select(columns)
        if "parquet" in formats:
            files.append(folder / f"part-{part:05d}.parquet")
            released.write_parquet(files[-1])
        if "csv" in formats:
            files.append(folder / f"part-{part:05d}.csv")
            released.write_csv(files[-1])
    shutil.rmtree(scatter)
    return Written(pl.concat(kept), tuple(files))
