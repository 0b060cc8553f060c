"""The suggested policy as a page that a privacy officer reads, edits and runs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from anon_platform.analyze.columns import KINDS, Classification
from anon_platform.analyze.columns.names import tokens
from anon_platform.analyze.columns.words import PERSON
from anon_platform.policy import Source
from anon_platform.suggest.hierarchies import K
from anon_platform.suggest.treatments import Treated, treated
from anon_platform.suggest.yaml_text import WIDTH, comment, flow, scalar

MANY = 7
"""Quasi-identifiers from which on one level a column for all records would lose too much."""

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("What others may know of somebody. The search finds how coarse each has to be.", ("quasi_identifier",)),
    ("What must not be learnt about anybody.", ("sensitive",)),
    (
        "What names a person by itself. It never leaves; it is not even copied to staging.",
        ("direct_identifier",),
    ),
    ("Places and times finer than the quasi-identifiers.", ("location", "timestamp")),
    ("Texts and images.", ("free_text", "image")),
    ("What points to nobody.", ("insensitive",)),
)


@dataclass(frozen=True)
class Place:
    """dataset: its name. source: as the policy names it, path from the policy's folder. schema: of the YAML, if any."""

    dataset: str
    source: Source
    schema: str | None = None


def page(found: Classification, place: Place) -> str:
    """The YAML text."""
    columns = treated(found)
    lines = [*_head(found, place, columns), "", "columns:"]
    for title, roles in GROUPS:
        members = [one for one in columns if one.settings["role"] in roles]
        if members:
            lines += comment(title, 2)
            lines += _columns(members)
            lines.append("")
    lines += [*_thresholds(columns), "", *_publish()]
    return "\n".join(lines) + "\n"


def _head(found: Classification, place: Place, columns: Sequence[Treated]) -> Iterator[str]:
    if place.schema is not None:
        yield f"# yaml-language-server: $schema={place.schema}"
    look = sum(one.look for one in columns)
    text = (
        "Suggested from the data by: anon suggest. A proposal: read it whole, decide what is marked `decide`, look at what"
        f" is marked `look at this` ({look} of {len(columns)} columns), then run: anon check. Beside every column stand"
        " its kind, the likelihood of that (0 to 1), and the reasons. No value of the data is in this file."
    )
    yield from comment(text)
    if all(one.suppressed for one in columns):
        yield from comment(
            "Every column is kept back, so that nothing could be released: decide what may leave."
        )
    yield "version: 1"
    yield f"dataset: {place.dataset}"
    yield f"title: {scalar(place.dataset.replace('_', ' ').capitalize())}"
    yield "owner: privacy-office@example.org   # decide: who answers for this policy"
    yield ""
    yield from _source(place.source, columns)
    yield ""
    yield from _unit(found)
    yield ""
    yield from _combinations(found)


def _source(source: Source, columns: Sequence[Treated]) -> Iterator[str]:
    yield "source:"
    yield f"  format: {source.format}"
    yield f"  path: {scalar(source.path)}"
    if source.format == "csv" and source.separator != ",":
        yield f"  separator: {scalar(source.separator)}"
    marks = sorted({mark for one in columns for mark in one.column.facts.marks})
    if marks:
        yield f"  missing_values: {flow(['', *marks])}   # texts that mean: no value"


def _unit(found: Classification) -> Iterator[str]:
    person = found.person
    yield from comment(
        f"Whose privacy it is: people are counted, not rows. {_sentence(person.reasons)} ({person.likelihood:.2f})."
    )
    yield "privacy_unit:"
    if person.column is None:
        yield "  each_row_is_a_person: true   # decide: wrong if somebody may have two rows"
        return
    yield f"  column: {scalar(person.column)}"
    words = [word for word in tokens(person.column) if word in PERSON]
    yield f"  name: {words[0] if words else 'person'}"


def _sentence(reasons: Sequence[str]) -> str:
    told = "; ".join(reasons)
    return told[:1].upper() + told[1:]


def _combinations(found: Classification) -> Iterator[str]:
    if not found.combinations:
        return
    of = f"{found.people:,} {'people' if found.person.column is not None else 'rows'}"
    part = ", drawn from the source" if found.sampled else ""
    yield from comment(
        f"Who is the only one with a combination of original values, of {of}{part} (days of timestamps):"
    )
    for one in found.combinations:
        inside = [name for name in one.columns if not _known(found, name)]
        told = f"; not known to outsiders: {', '.join(inside)}" if inside else ""
        yield from comment(f"  {one.unique:7.2%}  {' + '.join(one.columns)}{told}")
    if found.key:
        yield from comment(f"Together {' + '.join(found.key)} tell almost every two rows apart.")


def _known(found: Classification, name: str) -> bool:
    return any(one.name == name and KINDS[one.guess.kind].known for one in found.columns)


def _columns(members: Sequence[Treated]) -> Iterator[str]:
    """The columns, with one comment for those next to each other of which the same is to be said."""
    said: list[str] = []
    for one in members:
        told = _said(one)
        if told != said:
            yield from told
        said = told
        yield from _settings(one)


def _said(one: Treated) -> list[str]:
    kind = KINDS[one.column.guess.kind]
    look = "look at this: " if one.look else ""
    why = "; ".join(one.column.reasons)
    lines = comment(f"{look}{kind.words} ({one.column.guess.likelihood:.2f}): {why}", 2)
    return [*lines, *(line for note in one.notes for line in comment(f"  {note}", 2))]


def _settings(one: Treated) -> Iterator[str]:
    name = scalar(one.column.name)
    line = f"  {name}: {flow(one.settings)}"
    if len(line) <= WIDTH:
        yield line
        return
    yield f"  {name}:"
    for key, value in one.settings.items():
        yield f"    {key}: {flow(value)}"


def _thresholds(columns: Sequence[Treated]) -> Iterator[str]:
    leaving = [one.settings["role"] for one in columns if not one.suppressed]
    rows: list[tuple[str, Any, str]] = []
    if "quasi_identifier" in leaving:
        rows += [
            (
                "k",
                K,
                "people who share every combination; CMS publishes no cell below 11, trusted partners often take 5",
            ),
            ("max_risk", 0.091, "1 in 11; EMA Policy 0070 takes 0.09 for data that is published"),
            ("suppressed_records", 0.1, "share of records that may be left out to reach k"),
        ]
    if "sensitive" in leaving:
        rows.append(
            ("l", 2, "different sensitive values in every class; 2 is the least that guards anything")
        )
    rows.append(("fidelity", 0.2, "how far the distribution of a released column may move, 0 to 1"))
    yield from comment("decide these: nothing here has a default, the numbers are where others begin.")
    yield "thresholds:"
    width = max(len(f"  {name}: {value}") for name, value, _ in rows)
    for name, value, why in rows:
        yield f"{f'  {name}: {value}':{width}}   # decide: {why}"
    if leaving.count("quasi_identifier") >= MANY:
        yield ""
        yield from comment("Many quasi-identifiers: each class is generalized by itself, which loses less.")
        yield "recoding: {model: local}"


def _publish() -> Iterator[str]:
    yield "publish:"
    yield "  formats: [parquet]"
    yield "  recipient: nobody yet   # decide: who receives it"
    yield "  purpose: none yet       # decide: what for"
