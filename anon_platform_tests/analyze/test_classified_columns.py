"""Kinds and roles of columns of invented tables: nobody's names were in mind when these were made up."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from anon_platform.analyze.columns import KINDS, Classification, ClassifiedColumn, Rows, classify
from anon_platform.analyze.columns.classification import whose_rows
from anon_platform.errors import SourceError
from anon_platform_tests.analyze.schemas import BANK, KLINIK, LETTERS, SCHEMAS, STAFF, Schema


def classified(table: pl.DataFrame, folder: Path, about: str = "") -> Classification:
    """The classification of a table, without the language model, which takes seconds to load."""
    table.write_parquet(folder / "t.parquet")
    rows = Rows.of([folder / "t.parquet"], table.schema)
    return classify(rows, about=about, read_texts=False)


def frame(schema: Schema, n: int = 300) -> pl.DataFrame:
    return pl.DataFrame(schema.rows(n, 1), schema=list(schema.columns), orient="row")


Found = Callable[[Schema], Classification]


@pytest.fixture(scope="module")
def found_in(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """The classification of an invented table, made once."""
    folder = tmp_path_factory.mktemp("tables")
    made: dict[str, Classification] = {}

    def find(schema: Schema) -> Classification:
        if schema.name not in made:
            made[schema.name] = classified(frame(schema), folder)
        return made[schema.name]

    return find


def of(found: Classification, name: str) -> ClassifiedColumn:
    return next(one for one in found.columns if one.name == name)


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)
def test_every_direct_identifier_is_found_and_little_else_taken_for_one(
    schema: Schema, found_in: Found
) -> None:
    """One that is missed leaves as it is; one too many costs a column that a reader can give back."""
    found = found_in(schema)
    said = {one.name: LETTERS[one.role] for one in found.columns}
    assert [n for n, roles in schema.gold.items() if roles[0] == "D" and said[n] not in roles] == []
    direct = [name for name, role in said.items() if role == "D"]
    assert len([name for name in direct if "D" in schema.gold[name]]) >= 0.9 * len(direct)


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)
def test_roles_are_those_that_a_reader_would_defend(schema: Schema, found_in: Found) -> None:
    """Quasi-identifiers, places, times, sensitive values and texts, nine of ten of them."""
    found = found_in(schema)
    wrong = [one.name for one in found.columns if LETTERS[one.role] not in schema.gold[one.name]]
    assert len(wrong) <= len(schema.gold) / 10, wrong


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)
def test_direct_identifiers_do_not_leave_when_names_say_nothing(schema: Schema, tmp_path: Path) -> None:
    """`col_17` is common. Values alone find most; what they do not find is so unsure that it is kept back.

    Numbers of few digits and lists of few values, which nobody can tell from a measurement, are the exception.
    """
    table = frame(schema)
    hidden = {name: f"col_{i}" for i, name in enumerate(table.columns)}
    found = classified(table.rename(hidden), tmp_path)
    leaves = [
        name
        for name, roles in schema.gold.items()
        if roles[0] == "D"
        and (one := of(found, hidden[name])).guess.likelihood >= 0.5
        and LETTERS[one.role] not in {"D", "F", *roles}
    ]
    assert set(leaves) <= {"Vorname", "FirstName", "LastName", "Nachname"}


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)
def test_no_reason_holds_a_value(schema: Schema, found_in: Found) -> None:
    """Reasons are written to a file that many may read."""
    table = frame(schema)
    found = found_in(schema)
    said = " ".join(reason for one in found.columns for reason in one.reasons) + " ".join(
        found.person.reasons
    )
    cells = {cell for name in table.columns for cell in table[name].unique() if len(cell) > 5}
    assert not [
        cell for cell in cells if cell in said and cell.lower() not in {"finance", "manager", "student"}
    ]


def test_one_address_among_a_hundred_thousand_comments_is_found(tmp_path: Path) -> None:
    """Rare evidence is sought in all values; a sample would miss it, and one row is enough to harm somebody."""
    comments = [f"ok {i % 300}" for i in range(100_000)]
    comments[77_777] = "write to anna.miller@mail.example please"
    found = classified(pl.DataFrame({"xq": comments, "y": [1] * 100_000}), tmp_path)
    assert of(found, "xq").role == "free_text"
    assert "e-mail addresses in 1 row" in " ".join(of(found, "xq").reasons)


def test_a_name_is_not_believed_over_values_that_contradict_it(tmp_path: Path) -> None:
    """`phone` over yes and no says whether there is one; `email_sent` is a date."""
    n = 200
    table = pl.DataFrame({
        "phone": ["Y", "N"] * (n // 2),
        "birth_date": ["low", "high"] * (n // 2),
        "email": [str(i % 7) for i in range(n)],
        "name": ["aspirin", "insulin glargine", "metformin hcl", "saline drip"] * (n // 4),
    })  # fmt: skip
    found = classified(table, tmp_path)
    assert {one.role for one in found.columns} == {"insensitive"}
    assert any("but" in reason for reason in of(found, "phone").reasons)


def test_the_person_is_the_column_within_which_people_stay_the_same(tmp_path: Path) -> None:
    """Both keys have the right name; sex and birth date change within one of them."""
    people = 60
    rows = [
        (
            f"V{i}",
            f"P{i % people}",
            f"K{i % 7}",
            "FM"[i % people % 2],
            f"19{10 + i % people}-03-0{1 + i % 9 % 3}",
        )
        for i in range(240)
    ]
    born = {f"P{p}": f"19{10 + p}-03-01" for p in range(people)}
    table = pl.DataFrame(rows, schema=["visit_id", "patient_id", "customer_id", "sex", "dob"], orient="row")
    table = table.with_columns(dob=pl.col("patient_id").replace_strict(born))
    found = classified(table, tmp_path)
    assert found.person.column == "patient_id"
    assert found.people == people


def test_a_person_column_with_gaps_is_named_but_not_used(tmp_path: Path) -> None:
    """A row without a person stops a run; the reader has to know why the column was not taken."""
    table = pl.DataFrame({"patient_id": ["a1", None, "a2"] * 20, "age": [30, 41, 52] * 20})
    found = classified(table, tmp_path)
    assert found.person.column is None
    assert "patient_id" in found.person.reasons[0]


def test_of_a_long_source_whole_people_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person of whom half the rows were drawn would be alone with fewer combinations than in truth."""
    monkeypatch.setattr("anon_platform.analyze.columns.classification.MOST_ROWS", 1_000)
    who = np.arange(4_000) % 1_000
    drawn = whose_rows(who)
    assert all(len(set(drawn[who == person])) == 1 for person in range(1_000))
    assert 500 < drawn.sum() < 1_500
    table = pl.DataFrame({"patient_id": [f"p{i}" for i in who], "age": [i // 1000 for i in range(4_000)]})
    found = classified(table, tmp_path)
    assert found.sampled
    assert 4 * found.people == drawn.sum()


def test_a_number_that_many_people_share_is_nobodys(tmp_path: Path) -> None:
    """The policy number of an insurer stands with thousands of its members."""
    table = pl.DataFrame(
        {"patient_id": [f"p{i}" for i in range(200)], "insurance_id": [f"i{i % 5}" for i in range(200)]}
    )
    found = of(classified(table, tmp_path), "insurance_id")
    assert found.guess.kind == "foreign_key"
    assert "people share a value" in " ".join(found.reasons)


def test_a_code_beside_a_diagnosis_is_one_too(tmp_path: Path) -> None:
    """Else the code would leave untouched beside the generalized text."""
    ills = [f"illness {chr(97 + i)} (disorder)" for i in range(12)]
    table = pl.DataFrame({
        "patient": [f"p-{i % 40:03d}" for i in range(480)],
        "code": [100 + i % 12 for i in range(480)],
        "description": [ills[i % 12] for i in range(480)],
    })  # fmt: skip
    found = classified(table, tmp_path)
    assert of(found, "code").guess.kind == of(found, "description").guess.kind == "diagnosis"
    assert (
        classified(table.select("code", "patient"), tmp_path, about="conditions").columns[0].guess.kind
        == "diagnosis"
    )


def test_each_identifying_shape_is_known_without_a_name(tmp_path: Path) -> None:
    """Check digits and forms, in columns that are called by a letter."""
    made = frame(BANK, 200)
    shapes = {"e_mail": "email", "acct_iban": "account_number", "card_no": "account_number", "ip_last_login": "ip_address",
              "postcode": "postcode", "phone_number": "phone", "date_of_birth": "birth_date", "street": "street_address",
              "full_name": "person_name"}  # fmt: skip
    more = frame(KLINIK, 200).select("Hauptdiagnose", "Hausarzt")
    shapes |= {"Hauptdiagnose": "diagnosis", "Hausarzt": "person_name"}
    table = pl.concat([made, more], how="horizontal").select(*shapes)
    hidden = {name: f"c{i}" for i, name in enumerate(shapes)}
    found = classified(table.rename(hidden), tmp_path)
    assert {name: of(found, hidden[name]).guess.kind for name in shapes} == shapes


def test_kinds_of_every_role_are_in_the_catalogue() -> None:
    """What identifies says by which rule."""
    assert {kind.role for kind in KINDS.values()} == set(LETTERS)
    assert all(kind.rule for kind in KINDS.values() if kind.role == "direct_identifier")


def test_one_row_and_one_column_are_classified(tmp_path: Path) -> None:
    """The smallest table that has anything."""
    found = classified(pl.DataFrame({"ssn": ["123-45-6789"]}), tmp_path)
    assert found.columns[0].role == "direct_identifier"


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    """Names alone would be a guess that looks like a finding."""
    with pytest.raises(SourceError, match="has no rows"):
        classified(pl.DataFrame({"a": []}, schema={"a": pl.String}), tmp_path)


def test_the_same_table_gets_the_same_answer(tmp_path: Path) -> None:
    """Rows come back in any order from a parallel count; a policy must not change with it."""
    table = frame(STAFF)
    one, other = classified(table, tmp_path), classified(table.reverse(), tmp_path)
    assert [(c.name, c.guess, c.role) for c in one.columns] == [
        (c.name, c.guess, c.role) for c in other.columns
    ]
    assert (one.person, one.combinations, one.key) == (other.person, other.combinations, other.key)
