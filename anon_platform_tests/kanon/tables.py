"""A small table, its hierarchies and the classes that an oracle counts, for the tests of `anon kanon`."""

import csv
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

AGES = "\n".join(f"{age};{age // 10 * 10}-{age // 10 * 10 + 9};*" for age in range(20, 60))
SEXES = "f;*\nm;*"
TOWNS = "\n".join(
    f"{town},{region},*" for town, region in [("Ulm", "south"), ("Bonn", "west"), ("Köln", "west")]
)
ILLNESSES = ("flu", "gout", "none")

QI = ("age", "sex", "town")
ASKED = ("--qi", ",".join(QI), "--k", 4)


def people(count: int, towns: tuple[str | None, ...] = ("Ulm", "Bonn", "Köln")) -> list[dict[str, Any]]:
    """Rows that are made by arithmetic alone; two rows a patient."""
    return [
        {
            "id": i,
            "patient": f"p{i // 2}",
            "age": 20 + (i * 7 + i // 5) % 40,
            "sex": "fm"[i % 3 % 2],
            "town": towns[i * i % len(towns)],
            "illness": ILLNESSES[i % 7 % 3],
            "note": f"row, {i}",
        }
        for i in range(count)
    ]


def as_csv(path: Path, table: list[dict[str, Any]], separator: str = ",", encoding: str = "utf-8") -> Path:
    with path.open("w", encoding=encoding, newline="") as stream:
        writer = csv.DictWriter(stream, list(table[0]), delimiter=separator)
        writer.writeheader()
        writer.writerows(table)
    return path


def read(path: Path, separator: str = ",") -> list[dict[str, str]]:
    if path.suffix == ".parquet":
        found = pl.read_parquet(path).with_columns(pl.all().cast(pl.String)).rows(named=True)
        return [{name: value or "" for name, value in row.items()} for row in found]
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter=separator))


def classes(
    table: Iterable[dict[str, str]], over: tuple[str, ...], who: Iterable[object]
) -> dict[tuple[str, ...], set[object]]:
    """The oracle: who is in each class, rows that are `*` throughout left out."""
    found = defaultdict(set)
    for row, person in zip(table, who, strict=True):
        label = tuple(row[name] for name in over)
        if set(label) != {"*"}:
            found[label].add(person)
    return found
