"""The packs of a policy judged: for each clause a verdict, what was looked at and why, and a metric that refuses."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from anon_platform.policy.regulations import Clause, Pack, RegulationName, pack_of
from anon_platform.validate.evidence import Evidence
from anon_platform.validate.metric import Metric
from anon_platform.validate.regulations import (
    ccpa_deidentified,
    clinical_reports,
    cms_cell_size,
    edpb_pseudonymisation,
    gdpr_wp29,
    hipaa_expert_determination,
    ico_motivated_intruder,
    nist_sp_800_188,
    nist_sp_800_226,
)
from anon_platform.validate.regulations.dossier import Dossier
from anon_platform.validate.regulations.measured import Measured
from anon_platform.validate.ruling import Ruling
from anon_platform.validate.safe_harbor import clauses as hipaa_safe_harbor
from anon_platform.validate.safe_harbor.case import Case, case_of

ON_COLUMNS: Mapping[RegulationName, Mapping[str, Callable[[Case], Ruling]]] = {
    "hipaa_safe_harbor": hipaa_safe_harbor.CHECKS,
}
"""By pack and letter what checks a clause on the released columns."""

ON_MEASURES: Mapping[RegulationName, Mapping[str, Callable[[Dossier], Ruling]]] = {
    "hipaa_expert_determination": hipaa_expert_determination.CHECKS,
    "gdpr_wp29": gdpr_wp29.CHECKS,
    "edpb_pseudonymisation": edpb_pseudonymisation.CHECKS,
    "ico_motivated_intruder": ico_motivated_intruder.CHECKS,
    "ema_policy_0070": clinical_reports.EMA_CHECKS,
    "health_canada_prci": clinical_reports.HEALTH_CANADA_CHECKS,
    "cms_cell_size": cms_cell_size.CHECKS,
    "ccpa_deidentified": ccpa_deidentified.CHECKS,
    "nist_sp_800_188": nist_sp_800_188.CHECKS,
    "nist_sp_800_226": nist_sp_800_226.CHECKS,
}
"""By pack and letter what checks a clause on what was measured and on the policy."""

UNIT = "reasons to fail"
"""What a clause's metric counts."""


@dataclass(frozen=True)
class Judged:
    """A pack with the ruling of each of its clauses, in their order. statement: to be signed, one paragraph an item."""

    pack: Pack
    rulings: tuple[tuple[Clause, Ruling], ...]
    statement: tuple[str, ...] = ()

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
            "statement": list(self.statement),
        }


def judge(
    evidence: Evidence, measured: Measured, leaks: Mapping[str, float], *, today: dt.date | None = None
) -> list[Judged]:
    """The packs that the policy names, judged. measured: all that was measured before.

    leaks: by text column the notes that say a value of their own row. today: the present day when left out; a year of
    birth tells an age by it, and a determination expires after it.
    """
    day = today or dt.datetime.now(dt.UTC).date()
    dossier = Dossier(evidence.policy, measured, day)
    packs = [pack_of(name) for name in evidence.policy.regulation]
    case = case_of(evidence, leaks, day.year) if any(pack.columns for pack in packs) else None
    return [_judged(pack, case, dossier) for pack in packs]


def _judged(pack: Pack, case: Case | None, dossier: Dossier) -> Judged:
    if case is not None and pack.name in ON_COLUMNS:
        on_columns = ON_COLUMNS[pack.name]
        return Judged(pack, tuple((clause, on_columns[clause.letter](case)) for clause in pack.clauses))
    checks = ON_MEASURES[pack.name]
    rulings = tuple((clause, checks[clause.letter](dossier)) for clause in pack.clauses)
    signed = pack.name == "hipaa_expert_determination"
    return Judged(pack, rulings, tuple(hipaa_expert_determination.statement(dossier)) if signed else ())


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
