"""Measures linkage against gold pairs; writes its part of docs/benchmarks.md.

    python scripts/bench_attacks.py FOLDER

FOLDER (or the variable ANON_DATA) holds bench/febrl4a.parquet, bench/febrl4b.parquet and bench/splink_fake_1000.parquet,
public data which the project does not ship. Febrl 4: every record of 4a has one in 4b with errors. fake_1000: the first
record of each person is the table, every other one is looked for in it.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from bench import machine, put

from anon_platform.table import PERSON
from anon_platform.validate.attacks.candidates import Compared, as_codes, candidates
from anon_platform.validate.attacks.intervals import Share
from anon_platform.validate.attacks.linkage import Found, Held, scored
from anon_platform.validate.attacks.probabilistic import best_candidates
from anon_platform.validate.attacks.relations import equal_values
from anon_platform.validate.attacks.similar import similar_texts

BEGIN, END = "<!-- attacks: written by make bench-attacks -->", "<!-- attacks: end -->"
ALIKE = 0.88
"""Jaro-Winkler similarity from which two texts agree, as in Splink's examples."""

Case = tuple[pl.DataFrame, pl.DataFrame, pl.Series, list[str], list[str]]
"""Table with PERSON, people looked for, whom each is, columns compared by equality, columns compared by likeness."""


def febrl(folder: Path) -> Case:
    """4a is the table, 4b is looked for in it."""
    a, b = (_stripped(pl.read_parquet(folder / "bench" / f"febrl4{half}.parquet")) for half in "ab")
    table = a.with_columns(key=pl.col("rec_id").str.extract(r"rec-(\d+)-")).with_row_index(PERSON)
    sought = b.with_columns(key=pl.col("rec_id").str.extract(r"rec-(\d+)-"))
    who = sought.join(table.select("key", PERSON), on="key", how="left", maintain_order="left")[PERSON]
    equal = ["street_number", "postcode", "state", "date_of_birth", "soc_sec_id"]
    return table, sought, who, equal, ["given_name", "surname", "address_1", "suburb"]


def fake_1000(folder: Path) -> Case:
    """The first record of every person is the table."""
    rows = _stripped(pl.read_parquet(folder / "bench" / "splink_fake_1000.parquet"))
    first = rows.unique("cluster", keep="first", maintain_order=True)
    table = first.with_row_index(PERSON)
    sought = rows.join(first.select("unique_id"), on="unique_id", how="anti", maintain_order="left")
    who = sought.join(table.select("cluster", PERSON), on="cluster", how="left", maintain_order="left")[
        PERSON
    ]
    return table, sought, who, ["dob", "city"], ["first_name", "surname", "email"]


def _stripped(rows: pl.DataFrame) -> pl.DataFrame:
    """Without spaces around; empty texts have no value."""
    clean = rows.with_columns(pl.col(pl.String).str.strip_chars())
    return clean.with_columns(pl.when(pl.col(n) != "").then(pl.col(n)).alias(n) for n in clean.columns)


def measured(case: Case) -> Mapping[str, tuple[Found, float]]:
    """By way of matching what was found, and the seconds it took."""
    table, sought, who, equal, alike = case
    names = [*equal, *alike]
    people, rows = sought.select(names), table.select(*names, PERSON)
    exact = tuple(Compared(n, n, equal_values(sought[n], table[n])) for n in names)
    held = Held(people.height, people, who, (), exact, exact)

    def by_likeness() -> tuple[Compared, ...]:
        return tuple(
            Compared(
                n,
                n,
                similar_texts(sought[n], table[n], ALIKE)
                if n in alike
                else equal_values(sought[n], table[n]),
            )
            for n in names
        )

    ways: dict[str, Callable[[], Found]] = {
        "exact": lambda: scored("exact", held, candidates(*as_codes(people, exact, rows)), rows, 0.95),
        "probabilistic": lambda: scored(
            "probabilistic", held, best_candidates(*as_codes(people, exact, rows)), rows, 0.95
        ),
        "probabilistic, names alike": lambda: scored(
            "alike", held, best_candidates(*as_codes(people, by_likeness(), rows)), rows, 0.95
        ),
    }
    found = {}
    for name, way in ways.items():
        began = time.perf_counter()
        result = way()
        found[name] = (result, time.perf_counter() - began)
    return found


def _in_words(share: Share | None) -> str:
    assert share is not None
    return f"{share.value:.4f} ({share.low:.4f} to {share.high:.4f})" if share.n else "no claim"


def main() -> None:
    """Measures both data sets and writes the table."""
    parser = argparse.ArgumentParser(description="Linkage against gold pairs.")
    parser.add_argument("folder", type=Path, nargs="?", default=os.environ.get("ANON_DATA"))
    folder = parser.parse_args().folder
    if folder is None:
        parser.error("name the folder of the data, or set ANON_DATA")
    lines = [
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {machine()}.", "",
        "| data | people looked for | matched by | claims | precision | recall | seconds |",
        "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for name, read in (("Febrl 4a and 4b", febrl), ("Splink fake_1000", fake_1000)):
        for way, (found, seconds) in measured(read(Path(folder))).items():
            cells = [
                name, f"{found.attacked:,}", way, f"{found.claims:,}", _in_words(found.precision),
                _in_words(found.recall), f"{seconds:.1f}",
            ]  # fmt: skip
            lines.append(f"| {' | '.join(cells)} |")
            sys.stdout.write(f"{lines[-1]}\n")
            sys.stdout.flush()
    put("\n".join([BEGIN, "## Linkage with an external file", "", *lines, END, ""]), BEGIN, END)


if __name__ == "__main__":
    main()
