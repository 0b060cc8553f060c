"""A tiny dataset for tests of ingestion: any bytes as its source, and a policy of four columns."""

from pathlib import Path

import polars as pl

from anon_platform.pipeline import run

HEADER = "person,name,age,ward\n"
CANARY = "Quetzalcoatl"
ROW = f"P1,{CANARY},30,A\n"
ONE, TWO = HEADER + "P1,x,30,A\n", HEADER + "P2,x,31,B\n"
AT_PATH = "POLICY:5:29 source.path: "
AT_PARQUET = "POLICY:5:33 source.path: "
"""What stands before a message about the source of a CSV or Parquet policy."""

POLICY = """\
version: 1
dataset: tiny
title: A tiny dataset
owner: tests
source: {format: csv, path: source}
privacy_unit: {column: person}
columns:
  person: {role: direct_identifier, treat: {technique: suppress}}
  name: {role: direct_identifier, treat: {technique: suppress}}
  age: {role: insensitive, type: integer}
  ward: {role: insensitive, required: true}
thresholds: {fidelity: 0.1}
publish: {formats: [parquet], recipient: tests, purpose: tests}
"""


def tiny(folder: Path, files: dict[str, bytes | str | pl.DataFrame], **replaced: str) -> Path:
    """A policy file with its source: files by name, as bytes, text or a table for Parquet.

    replaced: lines of the policy, by their first key (source="{format: …}", age="{role: …}"; empty removes it).
    """
    (folder / "source").mkdir(exist_ok=True)
    for name, content in files.items():
        path = folder / "source" / name
        path.parent.mkdir(exist_ok=True)
        if isinstance(content, pl.DataFrame):
            content.write_parquet(path)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
    if (
        "source" not in replaced
        and files
        and all(isinstance(content, pl.DataFrame) for content in files.values())
    ):
        replaced["source"] = "{format: parquet, path: source}"
    lines = []
    for line in POLICY.splitlines():
        key = line.strip().split(":")[0]
        indent = line[: len(line) - len(line.lstrip())]
        if key in replaced:
            line = f"{indent}{key}: {replaced[key]}" if replaced[key] else "#"  # noqa: PLW2901
        lines.append(line)
    file = folder / "tiny.yaml"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def released(file: Path) -> list[tuple[object, ...]]:
    """The rows that a run of the policy releases, sorted."""
    outcome = run(file)
    assert outcome.released, outcome.validated.assessment
    rows = pl.read_parquet(list(Path(outcome.validated.path).glob("data/*.parquet"))).rows()
    return sorted(rows, key=repr)


def many_rows(count: int, wrong: dict[int, str]) -> list[tuple[str, str, str, str]]:
    """Rows of a large source; wrong: ages by number of the row (from 1)."""
    return [(f"P{i}", "x", wrong.get(i, str(i % 90)), "A") for i in range(1, count + 1)]
