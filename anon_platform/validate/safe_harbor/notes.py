"""Released free text that was searched for identifiers: what is still found in it, and what its own rows tell."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from anon_platform.anonymize import DeidentifyText
from anon_platform.validate.evidence import Evidence
from anon_platform.validate.files import read_released

MOST = 2_000
"""Texts of a column that are searched again; of more, so many, evenly over the release."""

Labels = frozenset[str]


@dataclass(frozen=True)
class Searched:
    """One text column. texts: those that leave. read: those searched again.

    found: by label, texts that still hold one. doubtful: by label, texts that hold something that may be one, or may stay.
    own: whether the texts were compared with values of their own rows; leaks: texts that say one. surrogates: whether
    invented values stand in place of finds, so that a second search cannot tell them from what was missed. shifted:
    whether dates were moved and not replaced.
    """

    column: str
    texts: int
    read: int
    found: Mapping[str, int]
    doubtful: Mapping[str, int]
    own: bool
    leaks: int
    surrogates: bool
    shifted: bool = False

    def in_words(self) -> str:
        """What was looked at."""
        how = ["all texts compared with their own rows"] if self.own else []
        if not self.surrogates:
            part = "all" if self.read == self.texts else f"a sample of {self.read:,} of the"
            how.append(f"{part} {self.texts:,} texts searched again")
        return f"text {self.column}: " + (", ".join(how) or "nothing")


@dataclass(frozen=True)
class Notes:
    """All text columns that were searched."""

    columns: tuple[Searched, ...] = ()

    def reasons(self, labels: Labels) -> list[str]:
        """Why the class with these labels fails: what is still found, or that nothing shows that nothing is left."""
        return [reason for text in self.columns for reason in _reasons(text, labels)]

    def doubts(self, labels: Labels) -> list[str]:
        """What a reader has to look at: words that may be of the class with these labels."""
        told = (
            (text, {label: n for label, n in text.doubtful.items() if label in labels})
            for text in self.columns
        )
        return [
            f"{text.column}: {_listed(found)}, which may identify somebody; read some of them"
            for text, found in told
            if found
        ]

    @property
    def labels(self) -> Labels:
        """Everything that was found."""
        return frozenset(label for text in self.columns for label in {**text.found, **text.doubtful})


def _reasons(text: Searched, labels: Labels) -> list[str]:
    if text.leaks:
        return [f"{text.column}: values of their own rows in {_texts(text.leaks)}"]
    if text.surrogates and not text.own:
        return [
            (
                f"{text.column}: surrogates look like what they replace, and nothing else shows what was missed; name"
                " known_from, or write replace_by: type"
            )
        ]
    if text.shifted and "DATE_TIME" in labels:
        return [f"{text.column}: shifted dates are dates all the same; leave shift_dates out"]
    found = {label: n for label, n in text.found.items() if label in labels}
    return [f"{text.column}: {_listed(found)}, still found"] if found else []


def _listed(found: Mapping[str, int]) -> str:
    return ", ".join(f"{label} in {_texts(n)}" for label, n in sorted(found.items()))


def _texts(n: int) -> str:
    return f"{n:,} text{'' if n == 1 else 's'}"


def notes_of(evidence: Evidence, leaks: Mapping[str, float]) -> Notes:
    """The text columns that leave, searched. leaks: by column the notes that say a value of their own row."""
    found = [
        _searched(evidence, name, step, leaks.get(name))
        for name in evidence.policy.released
        for step in evidence.policy.columns[name].treat
        if isinstance(step, DeidentifyText)
    ]
    return Notes(tuple(found))


def _searched(evidence: Evidence, name: str, step: DeidentifyText, leaks: float | None) -> Searched:
    texts = read_released(evidence.data, [name])[name].drop_nulls().to_list()
    surrogates = step.replace_by == "surrogate"
    look = [] if surrogates else _spread(texts)
    found, doubtful = _still_found(look, step) if look else ({}, {})
    return Searched(
        name, len(texts), len(look), found, doubtful, leaks is not None, int(leaks or 0), surrogates,
        step.shift_dates is not None,
    )  # fmt: skip


def _spread(texts: list[str]) -> list[str]:
    """At most MOST texts, evenly over all.

    >>> _spread(["a", "b"])
    ['a', 'b']
    """
    if len(texts) <= MOST:
        return texts
    return [texts[place * len(texts) // MOST] for place in range(MOST)]


def _still_found(texts: list[str], step: DeidentifyText) -> tuple[dict[str, int], dict[str, int]]:
    """By label the texts in which the finder of the policy finds an identifier, and those where it only may be one."""
    from anon_platform.text.finder import Note
    from anon_platform.text.making import finder_of
    from anon_platform.text.replace import identifies, without_types
    from anon_platform.text.spans import POSSIBLE

    settings = step.search()
    notes = [Note(without_types(text, settings)) for text in texts]
    sure, doubtful = Counter[str](), Counter[str]()
    for note, spans in zip(notes, finder_of(settings).find(notes), strict=True):
        found = [span for span in spans if identifies(str(note.text), span)]
        certain = {span.label for span in found if span.score >= POSSIBLE}
        sure.update(certain)
        doubtful.update({span.label for span in found if span.score < POSSIBLE} - certain)
        doubtful.update({span.label for span in spans if span.label == "ORGANIZATION"})
    return dict(sure), dict(doubtful)
