"""What the clauses of most regulations rest on: what was measured, what the policy does, and what its owner states."""

import datetime as dt
import re
from dataclasses import dataclass

from anon_platform.anonymize import KEYED, DeidentifyText, Surrogate
from anon_platform.policy import Policy
from anon_platform.policy.statements import Statements
from anon_platform.validate.regulations.measured import Measured
from anon_platform.validate.ruling import Ruling

REVERSIBLE = frozenset({"encrypt", "encrypt_format", "tokenize"})
"""Techniques whose codes their key turns back into values."""

_FILE = re.compile(r"^(?:certain re-identification by|recall of) ")
"""How measures of linkage are called, before the name of the file."""


@dataclass(frozen=True)
class Dossier:
    """A release to be judged. today: the day of the judgement, from which days of validity are counted."""

    policy: Policy
    measured: Measured
    today: dt.date

    @property
    def stated(self) -> Statements:
        """What the policy's owner states; nothing where the section is missing."""
        return self.policy.statements or Statements()

    @property
    def people(self) -> str:
        """What the privacy unit is called, in the plural."""
        return f"{self.policy.privacy_unit.name}s"

    @property
    def keys(self) -> list[str]:
        """Names of the keys that what leaves is made with, in order."""
        steps = (step for name in self.policy.released for step in self.policy.columns[name].treat)
        return sorted({key for step in steps if (key := getattr(step, "key", None))})

    @property
    def coded(self) -> list[str]:
        """Columns that leave as codes in place of values."""
        return [name for name in self.policy.released if self._has(name, KEYED)]

    @property
    def reversible(self) -> list[str]:
        """Columns that leave as codes which can be turned back into values."""
        treats = {name: self.policy.columns[name].treat for name in self.policy.released}
        return [name for name, steps in treats.items() if any(step.technique in REVERSIBLE for step in steps)]

    @property
    def texts(self) -> list[str]:
        """Free text that leaves after a search for identifiers."""
        return [name for name in self.policy.released if self._has(name, (DeidentifyText,))]

    @property
    def unreplaced(self) -> list[str]:
        """Direct identifiers that leave neither as codes nor as invented values, such as masked ones."""
        return [
            name
            for name in self.policy.with_role("direct_identifier")
            if not self._has(name, (*KEYED, Surrogate))
        ]

    @property
    def treated(self) -> str:
        """What is looked at where the treatment decides, in words."""
        words = [
            "the treatment of every column",
            f"{', '.join(self.coded)}: leaves as codes" if self.coded else "",
            f"{', '.join(self.texts)}: searched for identifiers" if self.texts else "",
        ]
        return "; ".join(filter(None, words))

    def _has(self, name: str, techniques: tuple[type, ...]) -> bool:
        return any(isinstance(step, techniques) for step in self.policy.columns[name].treat)

    @property
    def assumed(self) -> list[str]:
        """Who is assumed to attack, in words: by the policy's attackers and by the files that were linked."""
        named = [f"{each.name}, who knows {', '.join(each.knows)}" for each in self.policy.attackers]
        files = dict.fromkeys(_FILE.sub("", metric.name) for metric in self.measured.of("linkage"))
        return [*named, *(f"a holder of the file {name}" for name in files)]

    @property
    def identifiers(self) -> tuple[list[str], list[str]]:
        """Why direct identifiers are left in what leaves, and what makes this doubtful."""
        failing = [
            f"{name}: a direct identifier that leaves neither as a code nor as an invented value"
            for name in self.unreplaced
        ]
        failing += self.measured.missed("text_deidentification")
        reviewed = any(metric.value is not None for metric in self.measured.of("text_review"))
        unsure = (
            []
            if reviewed
            else [f"{name}: notes that were searched; read some of them" for name in self.texts]
        )
        return failing, unsure


def stated(said: bool | None, what: str, *, key: str) -> Ruling:  # noqa: FBT001 - what the owner wrote
    """The ruling on what only the owner can say. what: the fact as a sentence without full stop. key: in the policy.

    >>> stated(True, "keys are kept apart", key="keys_kept_apart").looked_at
    "stated by the policy's owner: keys are kept apart"
    """
    if said is None:
        return Ruling(
            "needs a human", "the policy states nothing of it", (f"{what}; statements: {{{key}: …}} says so",)
        )
    if said:
        return Ruling("pass", f"stated by the policy's owner: {what}")
    return Ruling(
        "fail",
        f"stated by the policy's owner: {key} is false",
        (f"the owner states that this is not so: {what}",),
    )


def named(said: str | None, what: str, *, key: str) -> Ruling:
    """The ruling on what only the owner can name: passed when it is named."""
    if said is None:
        return Ruling(
            "needs a human",
            "the policy states nothing of it",
            (f"{what}; statements: {{{key}: …}} names it",),
        )
    return Ruling("pass", f"stated by the policy's owner: {said}")
