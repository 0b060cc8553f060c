"""Identifiers of one sort that have to be gone: in columns that look like one, in what was made of one, in texts."""

from collections.abc import Iterator
from dataclasses import dataclass

from anon_platform.validate.ruling import Ruling, counted, ruled
from anon_platform.validate.safe_harbor.case import Case, Released


@dataclass(frozen=True)
class Sort:
    """A sort of identifiers. what: in words, many of them. kinds: of columns. carried: of what stands inside texts.

    labels: of what is found in notes. in_text: whether free text may hold one. others: kinds that are identifiers of
    another sort for sure, whatever else they look like: a fax number looks like a telephone number.
    """

    what: str
    kinds: frozenset[str]
    carried: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()
    in_text: bool = True
    others: frozenset[str] = frozenset()


PROSE = frozenset({"free_text", "nested"})
"""Kinds that may hold anything."""


def removed(case: Case, sort: Sort) -> Ruling:
    """Whether no identifier of this sort leaves."""
    reasons = [reason for column in case.plain() for reason in reasons_of(column, sort)]
    if not sort.in_text:
        return ruled(looked_at(case, sort), reasons)
    return ruled(
        looked_at(case, sort), [*reasons, *case.notes.reasons(sort.labels)], case.notes.doubts(sort.labels)
    )


def reasons_of(column: Released, sort: Sort) -> Iterator[str]:
    """Why the column has an identifier of this sort, at most one reason."""
    content, before = column.content, column.seen.original
    carried = {what: n for what, n in content.carried.items() if what in sort.carried}
    seen = sorted(sort.kinds & set(content.by_values))
    if content.kind in sort.kinds:
        yield f"{column.name} looks like {content.words}: {content.why}"
    elif content.kind in sort.others:
        return
    elif seen:
        yield f"{column.name} holds {sort.what}: {content.by_values[seen[0]]}"
    elif carried:
        told = ", ".join(f"{what} in {counted(n, 'row')}" for what, n in carried.items())
        yield f"{column.name} holds {sort.what}: {told}"
    elif column.policy.treat and before.kind in sort.kinds and content.distinct > 1:
        yield (
            f"{column.name} was made of {before.words} ({', '.join(column.techniques)}), and a part of an identifier"
            " counts as one; suppress it"
        )
    elif (prose := untreated_prose(column)) and (sort.in_text or content.kind == "nested"):
        yield f"{column.name} is {prose}, which may hold {sort.what}; treat it with deidentify_text, or suppress it"


def untreated_prose(column: Released) -> str | None:
    """What kind of text or structure it is that nothing has searched; None for other columns."""
    if column.content.kind in PROSE or column.policy.role == "free_text":
        return column.content.words if column.content.kind in PROSE else "free text"
    return None


def looked_at(case: Case, sort: Sort) -> str:
    """What was looked at, in words."""
    words = f"name and values of {counted(len(case.plain()), 'released column')}"
    coded = sum(column.coded for column in case.columns)
    words += f"; the treatment of {coded} with codes" if coded else ""
    texts = [text.in_words() for text in case.notes.columns] if sort.in_text else []
    return "; ".join([words, *texts])
