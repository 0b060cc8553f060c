"""The packs of a policy judged: for each clause a verdict, what was looked at and why, and a metric that refuses."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from anon_platform.policy.regulations import Clause, Pack, RegulationName, pack_of
from anon_platform.validate.evidence import Evidence
from anon_platform.validate.metric import Metric
from anon_platform.validate.regulations import hipaa_safe_harbor
from anon_platform.validate.regulations.case import Case, Ruling, case_of

CHECKS: Mapping[RegulationName, Mapping[str, Callable[[Case], Ruling]]] = {
    "hipaa_safe_harbor": hipaa_safe_harbor.CHECKS,
}
"""By pack and letter what checks a clause."""

UNIT = "reasons to fail"
"""What a clause's metric counts."""


@dataclass(frozen=True)
class Judged:
    """A pack with the ruling of each of its clauses, in their order."""

    pack: Pack
    rulings: tuple[tuple[Clause, Ruling], ...]

    def as_json(self) -> dict[str, Any]:
        """For the assessment and the report."""
        return {
            "name": self.pack.name,
            "title": self.pack.title,
            "version": self.pack.version,
            "source": self.pack.source,
            "clauses": [
                {
                    "check": self.pack.check(clause),
                    "letter": clause.letter,
                    "title": clause.title,
                    "citation": clause.citation,
                    "verdict": ruling.verdict,
                    "looked_at": ruling.looked_at,
                    "reasons": list(ruling.reasons),
                }
                for clause, ruling in self.rulings
            ],
        }


def judge(evidence: Evidence, leaks: Mapping[str, float], *, year: int | None = None) -> list[Judged]:
    """The packs that the policy names, judged. leaks: by text column the notes that say a value of their own row.

    year: the present one when left out; a year of birth tells an age by it.
    """
    if not evidence.policy.regulation:
        return []
    case = case_of(evidence, leaks, year or datetime.now(UTC).year)
    return [_judged(pack_of(name), case) for name in evidence.policy.regulation]


def _judged(pack: Pack, case: Case) -> Judged:
    checks = CHECKS[pack.name]
    return Judged(pack, tuple((clause, checks[clause.letter](case)) for clause in pack.clauses))


def metrics_of(judged: Sequence[Judged]) -> list[Metric]:
    """One metric a clause: the reasons to fail it, of which none is allowed."""
    return [_metric(one.pack, clause, ruling) for one in judged for clause, ruling in one.rulings]


def _metric(pack: Pack, clause: Clause, ruling: Ruling) -> Metric:
    failed, human = ruling.verdict == "fail", ruling.verdict == "needs a human"
    note = "; ".join(ruling.reasons)
    return Metric(
        check=pack.check(clause),
        name=f"{clause.citation}: {clause.title}",
        value=None if human else float(len(ruling.reasons)),
        threshold=None if human else 0.0,
        at_least=False,
        passed=not failed,
        unit=UNIT,
        note=f"needs a human: {note}" if human else note,
    )
