"""Clinical notes about encounters, with the gold spans of the identifiers in them."""

from dataclasses import dataclass
from string import Formatter
from typing import NamedTuple, Self

import numpy as np
import polars as pl
from polars import col, lit

from anon_platform.demo.identifiers import phone_parts
from anon_platform.demo.names import RACE_SHARES, SEXES, Names
from anon_platform.demo.note_templates import CLOSINGS, COURSES, OPENINGS
from anon_platform.demo.people import People, World
from anon_platform.demo.sampling import Ints, WeightedChoice

_RELATIONS = (
    ("wife", "F"),
    ("husband", "M"),
    ("daughter", "F"),
    ("son", "M"),
    ("sister", "F"),
    ("brother", "M"),
    ("mother", "F"),
    ("father", "M"),
    ("friend", "F"),
    ("friend", "M"),
)
_MISSING = "n/a"
_DATE_FORMATS = {
    "us": "%m/%d/%Y",
    "iso": "%Y-%m-%d",
    "long": "%B %-d, %Y",
    "dmy": "%d-%b-%Y",
    "short": "%-m/%-d/%y",
    "md": "%-m/%-d",
}


class Field(NamedTuple):
    """What a template's field says, and the label of the gold span it leaves."""

    text: pl.Expr
    """Over the columns of `note_facts`; null is written as "n/a" and leaves no span."""
    label: str | None = None


def _by_sex(for_men: str, for_women: str) -> pl.Expr:
    return pl.when(col("sex") == "M").then(lit(for_men)).otherwise(lit(for_women))


def _dates(name: str, column: str, label: str) -> dict[str, Field]:
    return {f"{name}_{key}": Field(col(column).dt.strftime(fmt), label) for key, fmt in _DATE_FORMATS.items()}


def _plain(**columns: str) -> dict[str, Field]:
    return {name: Field(col(column).cast(pl.String)) for name, column in columns.items()}


def _measured(column: str) -> Field:
    return Field(col(column).replace("None", "not measured"))


def _coded(column: str) -> Field:
    return Field(col(column).replace("?", "unspecified"))


def _labelled(label: str, **texts: pl.Expr) -> dict[str, Field]:
    return {name: Field(text, label) for name, text in texts.items()}


FIELDS: dict[str, Field] = {
    **_labelled(
        "PATIENT_NAME",
        full=pl.format("{} {}", "given_name", "family_name"),
        last_first=pl.format("{}, {}", "family_name", "given_name"),
        capitals=pl.format("{} {}", "given_name", "family_name").str.to_uppercase(),
        small_letters=pl.format("{} {}", "given_name", "family_name").str.to_lowercase(),
        with_initial=pl.format("{} {}. {}", "given_name", "middle_initial", "family_name"),
        initialled=pl.format("{}. {}", col("given_name").str.slice(0, 1), "family_name"),
        misspelled=pl.format("{}{} {}", "given_name", col("given_name").str.slice(-1), "family_name"),
        given=col("given_name"),
        family=col("family_name"),
    ),
    **_labelled(
        "PROVIDER_NAME",
        provider_family=col("provider_family"),
        provider_full=pl.format("{} {}", "provider_given", "provider_family"),
    ),
    **_labelled(
        "RELATIVE_NAME",
        relative_given=col("relative_given"),
        relative_full=pl.format("{} {}", "relative_given", "relative_family"),
        relative_of_family=pl.format("{} {}", "relative_given", "family_name"),
    ),
    **_labelled(
        "PHONE",
        phone_brackets=pl.format("({}) 555-{}", "area", "line"),
        phone_dashes=pl.format("{}-555-{}", "area", "line"),
        phone_dots=pl.format("{}.555.{}", "area", "line"),
        phone_plus=pl.format("+1 {} 555 {}", "area", "line"),
        phone_digits=pl.format("{}555{}", "area", "line"),
    ),
    **_dates("born", "birth_date", "BIRTH_DATE"),
    **_dates("admitted", "admission_ts", "DATE"),
    **_dates("discharged", "discharge_ts", "DATE"),
    "age": Field(col("age").cast(pl.String), "AGE"),
    "mrn": Field(col("mrn"), "MRN"),
    "record_digits": Field(col("mrn").str.strip_prefix("MRN-"), "MRN"),
    "ssn": Field(col("ssn"), "SSN"),
    "email": Field(col("email"), "EMAIL"),
    "street": Field(col("street_address"), "ADDRESS"),
    "city": Field(col("city"), "CITY"),
    "zip": Field(col("zip"), "ZIP"),
    "ip": Field(col("ip_address"), "IP"),
    "hospital": Field(col("hospital_name"), "HOSPITAL"),
    "device": Field(col("device_serial"), "DEVICE_ID"),
    "title": Field(_by_sex("Mr.", "Ms.")),
    "noun": Field(_by_sex("man", "woman")),
    "possessive": Field(_by_sex("his", "her")),
    "changed": Field(pl.when(col("change") == "Ch").then(lit("yes")).otherwise(lit("no"))),
    "diagnosis_1": _coded("diag_1"),
    "diagnosis_2": _coded("diag_2"),
    "a1c": _measured("A1Cresult"),
    "glucose": _measured("max_glu_serum"),
    **_plain(
        state="state",
        relation="relation",
        medications="num_medications",
        labs="num_lab_procedures",
        procedures="num_procedures",
        diagnoses="number_diagnoses",
        inpatient="number_inpatient",
        stay="time_in_hospital",
        insulin="insulin",
        metformin="metformin",
        admission_type="admission_type_id",
        disposition="discharge_disposition_id",
    ),
}

LABELS = pl.Enum(sorted({field.label for field in FIELDS.values() if field.label is not None}))
"""Labels of the gold spans; a state alone is no identifier, so it has none."""


@dataclass(frozen=True)
class Template:
    """A text with fields: literal stretches, each followed by the name of a field or by the end."""

    pieces: tuple[tuple[str, str | None], ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """The template of a format string.

        >>> Template.parse("seen on {admitted_us}.").pieces
        (('seen on ', 'admitted_us'), ('.', None))
        """
        return cls(tuple((literal, field) for literal, field, _, _ in Formatter().parse(text)))

    def values(self, facts: pl.DataFrame) -> pl.DataFrame:
        """The text of every field, one row a note, one column a field, null where it is missing."""
        names = dict.fromkeys(field for _, field in self.pieces if field is not None)
        return facts.select(FIELDS[name].text.alias(name) for name in names)

    def text(self, values: pl.DataFrame) -> pl.Series:
        """The filled-in template, one a row of `values`."""
        parts: list[pl.Expr] = []
        for literal, field in self.pieces:
            parts.append(lit(literal))
            if field is not None:
                parts.append(col(field).fill_null(_MISSING))
        return values.select(pl.concat_str(parts)).to_series()

    def spans(self, values: pl.DataFrame, rows: Ints, start: Ints) -> list[pl.DataFrame]:
        """Gold spans (row, start, end, label), where the template begins at character `start` of the note."""
        lengths = values.select(pl.all().fill_null(_MISSING).str.len_chars().cast(pl.Int64))
        position = start
        found: list[pl.DataFrame] = []
        for literal, field in self.pieces:
            position = position + len(literal)  # a new array: the frames below keep the old ones
            if field is None:
                continue
            end = position + lengths[field].to_numpy()
            if FIELDS[field].label is not None:
                label = lit(FIELDS[field].label, dtype=LABELS)
                span = pl.DataFrame({"row": rows, "start": position, "end": end}).with_columns(label=label)
                found.append(span.filter(values[field].is_not_null()))
            position = end
        return found


SECTIONS = tuple(tuple(Template.parse(text) for text in section) for section in (OPENINGS, COURSES, CLOSINGS))


def write_notes(
    rng: np.random.Generator, encounters: pl.DataFrame, people: People, world: World
) -> tuple[pl.Series, pl.DataFrame]:
    """The note of each encounter, and the gold spans in them as encounter_id, start, end, label.

    Offsets count characters from 0, the end is exclusive; spans are sorted by encounter and start.
    `people` are the patients of the encounters, row by row.
    """
    facts = note_facts(rng, encounters, people, world)
    start = np.zeros(facts.height, dtype=np.int64)
    texts: list[pl.Series] = []
    spans: list[pl.DataFrame] = []
    for templates in SECTIONS:
        text, found = _section(rng, templates, facts, start)
        texts.append(text)
        spans.extend(found)
        start = start + text.str.len_chars().cast(pl.Int64).to_numpy() + len(" ")
    note = pl.select(pl.concat_str(*texts, separator=" ").alias("note_text")).to_series()
    ordered = pl.concat(spans).sort("row", "start")
    return note, ordered.select(
        encounters["encounter_id"].gather(ordered["row"]),
        col("start", "end").cast(pl.UInt16),
        "label",
    )


def _section(
    rng: np.random.Generator, templates: tuple[Template, ...], facts: pl.DataFrame, start: Ints
) -> tuple[pl.Series, list[pl.DataFrame]]:
    """One section of every note, each from a template drawn for it."""
    chosen = rng.integers(len(templates), size=facts.height)
    texts: list[pl.DataFrame] = []
    spans: list[pl.DataFrame] = []
    for number, template in enumerate(templates):
        rows = np.flatnonzero(chosen == number)
        values = template.values(facts[rows])
        texts.append(pl.DataFrame({"row": rows, "text": template.text(values)}))
        spans.extend(template.spans(values, rows, start[rows]))
    return pl.concat(texts).sort("row")["text"], spans


def note_facts(
    rng: np.random.Generator, encounters: pl.DataFrame, people: People, world: World
) -> pl.DataFrame:
    """The encounters with what only a note says: the provider, a relative, the parts of the telephone number."""
    names, size = world.names, encounters.height
    relation = rng.integers(len(_RELATIONS), size=size)
    words, sexes = zip(*_RELATIONS, strict=True)
    relative_sex = np.array([SEXES.index(sex) for sex in sexes])[relation]
    provider_race = WeightedChoice.of(RACE_SHARES).draw(rng, size)
    provider_given, provider_family = _full_names(
        rng, names, rng.integers(len(SEXES), size=size), provider_race
    )
    relative_given, relative_family = _full_names(rng, names, relative_sex, people.race)
    return encounters.hstack(phone_parts(people)).with_columns(
        relation=pl.Series(words).gather(relation),
        provider_given=provider_given,
        provider_family=provider_family,
        relative_given=relative_given,
        relative_family=relative_family,
    )


def _full_names(rng: np.random.Generator, names: Names, sex: Ints, race: Ints) -> tuple[pl.Series, pl.Series]:
    given = names.given.gather(names.draw_given(rng, sex, race))
    return given, names.family.gather(names.draw_family(rng, race))
