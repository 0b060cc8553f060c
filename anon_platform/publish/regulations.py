"""The clauses of a regulation with their verdicts, as the report shows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from anon_platform.publish.wording import listing

STATES = {"pass": "met", "fail": "missed", "needs a human": "none"}
"""How the page marks a verdict."""


@dataclass(frozen=True)
class ClauseRow:
    """One clause. state: how it is marked."""

    check: str
    letter: str
    title: str
    citation: str
    verdict: str
    state: str
    looked_at: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Regulation:
    """A regulation. summary: the verdicts in one sentence. human: clauses that whoever signs decides.

    statement: paragraphs that an expert signs, where the regulation asks for them.
    """

    name: str
    title: str
    version: str
    source: str
    summary: str
    clauses: tuple[ClauseRow, ...]
    human: tuple[ClauseRow, ...]
    statement: tuple[str, ...]


def regulations_of(detail: Mapping[str, Any]) -> list[Regulation]:
    """The regulations that were judged; none where the policy names none, or nothing could be measured."""
    return [_regulation(pack) for pack in detail.get("regulations", ())]


def _regulation(pack: Mapping[str, Any]) -> Regulation:
    rows = tuple(_row(clause) for clause in pack["clauses"])
    return Regulation(
        pack["name"],
        pack["title"],
        pack["version"],
        pack["source"],
        _summary(rows),
        rows,
        tuple(row for row in rows if row.verdict == "needs a human"),
        tuple(pack.get("statement", ())),
    )


def _row(clause: Mapping[str, Any]) -> ClauseRow:
    return ClauseRow(
        clause["check"],
        clause["letter"],
        clause["title"],
        clause["citation"],
        clause["verdict"],
        STATES[clause["verdict"]],
        clause["looked_at"],
        tuple(clause["reasons"]),
    )


def _summary(rows: tuple[ClauseRow, ...]) -> str:
    failed = [f"({row.letter})" for row in rows if row.verdict == "fail"]
    human = [f"({row.letter})" for row in rows if row.verdict == "needs a human"]
    passed = sum(row.verdict == "pass" for row in rows)
    parts = [f"{passed} of {len(rows)} clauses pass"]
    parts += [f"{listing(failed, 20)} {'fails' if len(failed) == 1 else 'fail'}"] if failed else []
    parts += [f"{listing(human, 20)} {'needs' if len(human) == 1 else 'need'} a human"] if human else []
    return "; ".join(parts) + "."
