"""What a regulation pack is: a rule as clauses, each with its citation."""

from dataclasses import dataclass
from typing import Literal

RegulationName = Literal[
    "hipaa_safe_harbor",
    "hipaa_expert_determination",
    "gdpr_wp29",
    "edpb_pseudonymisation",
    "ico_motivated_intruder",
    "ema_policy_0070",
    "health_canada_prci",
    "cms_cell_size",
    "ccpa_deidentified",
    "nist_sp_800_188",
    "nist_sp_800_226",
]
"""What a policy may write below `regulation`."""


@dataclass(frozen=True)
class Clause:
    """One clause of a rule. letter: as the rule counts it. name: for checks. title: in the rule's words, shortened."""

    letter: str
    name: str
    title: str
    citation: str


@dataclass(frozen=True)
class Pack:
    """A rule as clauses. version: the edition that the checks follow. source: where the rule is explained.

    columns: whether its checks look at every released column, which takes a pass over the data of its own.
    """

    name: RegulationName
    title: str
    version: str
    source: str
    clauses: tuple[Clause, ...]
    columns: bool = False

    def check(self, clause: Clause) -> str:
        """The clause's name among the checks.

        >>> one = Clause("A", "names", "Names", "45 CFR 164.514(b)(2)(i)(A)")
        >>> Pack("hipaa_safe_harbor", "HIPAA Safe Harbor", "2013", "HHS", (one,)).check(one)
        'hipaa_safe_harbor_A_names'
        """
        return f"{self.name}_{clause.letter.replace('.', '_')}_{clause.name}"


def described(clause: Clause) -> str:
    """The clause in one line, with its citation."""
    return f"{clause.title} ({clause.citation})."
