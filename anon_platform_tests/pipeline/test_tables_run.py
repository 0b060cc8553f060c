"""Several tables of one policy from source to release: joined by pseudonyms, without new orphans, together or not at all."""

import datetime as dt
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from anon_platform.errors import SourceError
from anon_platform.ledger import Ledger
from anon_platform.pipeline import STAGES, Outcome, run, verify
from anon_platform.policy import FaultyPolicyError, load_any_policy
from anon_platform.validate.together import k_together

CODE = {"technique": "pseudonymize", "key": "codes"}
SHIFT = {"technique": "shift_dates", "key": "shifts", "days": 100}
SUPPRESS = {"technique": "suppress"}
PATIENTS = 90


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The keys of the policy."""
    monkeypatch.setenv("ANON_KEY_CODES", bytes(range(32)).hex())
    monkeypatch.setenv("ANON_KEY_SHIFTS", bytes(range(70, 102)).hex())


def write_tables(folder: Path) -> None:
    """Patients, a few of them alone with their age; visits, some of patients that nobody knows; findings of visits."""
    rng = random.Random(5)
    ages = [30 + 10 * (i % 3) for i in range(PATIENTS - 3)] + [71, 83, 95]
    patients = [(f"P{i}", age, "FM"[i % 2], f"Name{i}") for i, age in enumerate(ages)]
    visits, findings = [], []
    for number in range(400):
        whose = f"P{rng.randrange(PATIENTS)}" if number % 25 else f"X{number}"
        day = dt.date(2020, 1, 1) + dt.timedelta(rng.randrange(300))
        visits.append((f"V{number}", whose, day, rng.choice(["flu", "burn", "cold"])))
        findings += [
            (f"V{number}" if rng.random() < 0.95 else None, whose, day + dt.timedelta(2), rng.choice("abc"))
            for _ in range(rng.randrange(3))
        ]
    findings.append(("V-none", "P1", dt.date(2020, 5, 5), "a"))
    frames = {
        "patients": (patients, ["id", "age", "sex", "name"]),
        "visits": (visits, ["visit", "patient", "day", "why"]),
        "findings": (findings, ["visit", "patient", "day", "code"]),
    }
    for name, (rows, columns) in frames.items():
        pl.DataFrame(rows, schema=columns, orient="row", infer_schema_length=None).write_parquet(
            folder / f"{name}.parquet"
        )


def policy_of(**changed: Any) -> dict[str, Any]:
    """The policy; changed: sections of its own, or of tables by their name."""
    quasi = {"role": "quasi_identifier", "treat": {"technique": "generalize", "hierarchy": {"kind": "flat"}}}
    tables = {
        "findings": {
            "person": "patient",
            "references": {"visit": "visits", "patient": "patients"},
            "columns": {
                "visit": {"role": "direct_identifier", "treat": CODE},
                "patient": {"role": "direct_identifier", "treat": CODE},
                "day": {"role": "timestamp", "treat": SHIFT},
                "code": {"role": "insensitive"},
            },
        },
        "visits": {
            "person": "patient",
            "key": "visit",
            "references": {"patient": "patients"},
            "columns": {
                "visit": {"role": "direct_identifier", "treat": CODE},
                "patient": {"role": "direct_identifier", "treat": CODE},
                "day": {"role": "timestamp", "treat": SHIFT},
                "why": {"role": "insensitive"},
            },
        },
        "patients": {
            "person": "id",
            "key": "id",
            "columns": {
                "id": {"role": "direct_identifier", "treat": CODE},
                "age": {"role": "quasi_identifier", "treat": {"technique": "generalize", "hierarchy": {"kind": "flat"}, "coarsest": "value"}},
                "sex": quasi,
                "name": {"role": "direct_identifier", "treat": SUPPRESS},
            },
        },
    }  # fmt: skip
    whole: dict[str, Any] = {
        "version": 1, "dataset": "hospital", "title": "A hospital", "owner": "privacy@hospital.example",
        "privacy_unit": {"name": "patient"},
        "tables": tables,
        "thresholds": {"k": 3, "max_risk": 0.34, "suppressed_records": 0.3, "fidelity": 0.3},
        "publish": {"formats": ["parquet", "csv"], "recipient": "tests", "purpose": "tests"},
    }  # fmt: skip
    for name, table in tables.items():
        table["source"] = {"format": "parquet", "path": f"{name}.parquet"}
    for name, section in changed.items():
        if name in tables:
            tables[name] |= section
        else:
            whole[name] = section
    return json.loads(json.dumps(whole))  # type: ignore[no-any-return]


def write(folder: Path, policy: dict[str, Any]) -> Path:
    """The policy's file beside its tables."""
    write_tables(folder)
    file = folder / "hospital.yaml"
    file.write_text(yaml.safe_dump(policy, sort_keys=False), encoding="utf-8")
    return file


def released(outcome: Outcome) -> dict[str, pl.DataFrame]:
    """The released tables."""
    assert outcome.released, outcome.validated.assessment
    folder = Path(outcome.validated.path) / "tables"
    return {each.name: pl.read_parquet(each / "data" / "*.parquet") for each in folder.iterdir()}


def test_keys_join_as_before_and_nobody_is_an_orphan_who_was_none(tmp_path: Path) -> None:
    """Recounted in plain Python from the sources: who leaves, with which rows, and how many find their row."""
    outcome = run(write(tmp_path, policy_of()))
    tables = released(outcome)
    sources = {name: pl.read_parquet(tmp_path / f"{name}.parquet").rows() for name in tables}
    # three patients are alone with their age, which may not be generalized
    gone = {"P87", "P88", "P89"}
    visits = [row for row in sources["visits"] if row[1] not in gone]
    stay = {row[0] for row in visits}
    known = {row[0] for row in sources["visits"]}
    findings = [
        row for row in sources["findings"] if row[1] not in gone and (row[0] in stay or row[0] not in known)
    ]
    assert {name: frame.height for name, frame in tables.items()} == {
        "patients": PATIENTS - 3, "visits": len(visits), "findings": len(findings),
    }  # fmt: skip
    codes = set(tables["patients"]["id"])
    assert (
        sum(code not in codes for code in tables["visits"]["patient"])
        == sum(row[1].startswith("X") for row in visits)
        > 0
    )
    codes = set(tables["visits"]["visit"])
    orphans = [code for code in tables["findings"]["visit"] if code is not None and code not in codes]
    assert len(orphans) == 1
    # the joined rows are those that were joined before, however dates and codes look
    before = Counter((v[3], f[3], (f[2] - v[2]).days) for f in findings for v in visits if f[0] == v[0])
    joined = tables["findings"].join(tables["visits"], on="visit", suffix="_of_visit")
    after = Counter(
        (why, code, (day - of_visit).days)
        for why, code, day, of_visit in joined.select("why", "code", "day", "day_of_visit").iter_rows()
    )
    assert before == after
    assert not {row[0] for row in sources["patients"]} & codes


def test_the_release_is_one_with_a_report_and_verifies(tmp_path: Path) -> None:
    """Orphans before and after stand in the report; a row that is taken away is found by anyone."""
    outcome = run(write(tmp_path, policy_of()))
    folder = Path(outcome.validated.path)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "visits.patient to patients.id" in page
    assert 'href="tables/visits/report.html"' in page
    assert not any(value in page for value in ("Name1", "P89", "burn"))
    assert verify(folder).passed
    with Ledger.open() as ledger:
        assert [entry.rows_out for entry in ledger.releases("hospital")] == [
            sum(frame.height for frame in released(outcome).values())
        ]
        assert [event.action for event in ledger.events("hospital")] == [
            "raw.materialized", "analyzed.materialized", "anonymized.materialized", "release.promoted", "release.cataloged",
        ]  # fmt: skip
    again = run(tmp_path / "hospital.yaml")
    assert again.reports["raw"].reused
    assert again.validated.path == outcome.validated.path
    part = next((folder / "tables" / "patients" / "data").glob("*.parquet"))
    pl.read_parquet(part).head(20).write_parquet(part)
    findings = {finding.name for finding in verify(folder).findings if not finding.passed}
    assert {"files", "patients: rows", "orphans of visits.patient"} <= findings


def test_one_table_that_misses_a_threshold_holds_all_of_them_back(tmp_path: Path) -> None:
    """No data of any table stays, and no report says that a table was released."""
    low = policy_of(thresholds={"k": 3, "max_risk": 0.34, "suppressed_records": 0.3, "fidelity": 0.03})
    outcome = run(write(tmp_path, low))
    assert not outcome.released
    folder = Path(outcome.validated.path)
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert not any("data" in Path(name).parts or name.endswith("manifest.json") for name in files)
    assert {"report.html", "assessment.json"} <= files
    assert all("Refused" in path.read_text(encoding="utf-8") for path in folder.rglob("report.html"))
    missed = [metric.name for metric in outcome.validated.assessment.missed()]  # type: ignore[union-attr]
    assert "patients: largest column distance" in missed


def test_quasi_identifiers_in_two_tables_are_counted_together(tmp_path: Path) -> None:
    """Each table has its k; whoever joins them finds people who are alone, and the release is refused."""
    why = {"role": "quasi_identifier", "treat": {"technique": "generalize", "hierarchy": {"kind": "flat"}}}
    policy = policy_of(thresholds={"k": 2, "max_risk": 0.5, "suppressed_records": 0.9, "fidelity": 1.0})
    policy["tables"]["visits"]["columns"]["why"] = why
    outcome = run(write(tmp_path, policy))
    assert not outcome.released
    missed = {metric.name: metric.value for metric in outcome.validated.assessment.missed()}  # type: ignore[union-attr]
    assert missed == {"k of all tables together": 1.0, "maximum risk of all tables together": 1.0}


def test_the_rows_of_people_in_all_tables_are_counted_as_sets(tmp_path: Path) -> None:
    """By hand: a dictionary from person to sorted rows, for every table."""
    policy = load_any_policy(write(tmp_path, policy_of()))
    rng = random.Random(3)

    class Of:
        """What the measure asks of a table's evidence."""

        def __init__(self, name: str, rows: list[tuple[int, str]]) -> None:
            self.rows, self.data = rows, tmp_path / name
            self.policy = policy.parts["patients"].model_copy(
                update={"columns": {"sex": policy.parts["patients"].columns["sex"]}}
            )
            self.data.mkdir()
            pl.DataFrame({"sex": [value for _, value in rows]}).write_parquet(self.data / "part.parquet")
            self.kept = pl.DataFrame(
                {"__person__": [person for person, _ in rows]}, schema={"__person__": pl.UInt32}
            )
            self.source = self

        def counts(self, _columns: list[str]) -> pl.DataFrame:
            """Person and token, which are the same here but for a constant."""
            people = self.kept["__person__"].unique()
            return pl.DataFrame({"__person__": people, "__token__": people.cast(pl.UInt64) + 1000, "n": 1})

    def rows() -> list[tuple[int, str]]:
        return [(rng.randrange(8), rng.choice("ab")) for _ in range(12)]

    for attempt in range(30):
        tables = {f"one{attempt}": Of(f"one{attempt}", rows()), f"two{attempt}": Of(f"two{attempt}", rows())}
        people = {person for table in tables.values() for person, _ in table.rows}
        sets = Counter(
            tuple(
                tuple(sorted(value for whose, value in table.rows if whose == person))
                for table in tables.values()
            )
            for person in people
        )
        assert k_together(tables) == min(sets.values())  # type: ignore[arg-type]
    assert k_together({"one": tables[f"one{attempt}"]}) is None  # type: ignore[dict-item]


def test_a_run_that_was_stopped_goes_on_with_the_tables_that_are_missing(tmp_path: Path) -> None:
    """Stage by stage, as Dagster does; a table whose result is gone is treated again, and the release is the same."""
    file = write(tmp_path, policy_of())
    for name in ("raw", "analyzed", "anonymized"):
        report = STAGES[name](file, lambda *_: None)
    work = Path(report.path).parent
    (work / "tables" / "visits" / "anonymized.json").unlink()
    outcome = run(file)
    assert released(outcome)["visits"].height > 300
    assert not work.exists()


def test_a_key_that_stands_twice_is_none(tmp_path: Path) -> None:
    """Nobody can say which row a reference means; the message has no value."""
    file = write(tmp_path, policy_of())
    visits = pl.read_parquet(tmp_path / "visits.parquet")
    pl.concat([visits, visits.head(2)]).write_parquet(tmp_path / "visits.parquet")
    with pytest.raises(SourceError) as caught:
        run(file)
    assert str(caught.value) == (
        "table visits: 2 values of the key visit stand in several rows, so that nobody can say which one a reference"
        " means; correct the source or the key"
    )
    visits.with_columns(visit=pl.when(pl.col("visit") != "V4").then("visit")).write_parquet(
        tmp_path / "visits.parquet"
    )
    with pytest.raises(SourceError, match="table visits: the key visit has no value in some rows"):
        run(file)


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"visits": {"references": {"patient": "patient"}}}, "tables.visits.references.patient: no such table; did you mean patients?"),
    ({"visits": {"references": {"patients": "patients"}}}, "tables.visits.references.patients: no such column under columns; did you mean patient?"),
    ({"patients": {"key": "ids"}}, "tables.patients.key: no such column under columns; did you mean id?"),
    ({"patients": {"key": None}}, "tables.visits.references.patient: table patients has no key to refer to; write key: … there"),
    ({"visits": {"person": "nobody"}}, "tables.visits.person: no such column under columns; name one of them"),
    ({"visits": {"recoding": {"model": "local", "labels": "sets"}}}, "tables.visits.recoding"),
    ({"thresholds": {"k": 3, "max_risk": 0.34, "l": 2, "suppressed_records": 0.3, "fidelity": 0.3}}, "thresholds.l: no sensitive column of any table leaves, so that this guards nothing; remove it"),
    ({"thresholds": {"suppressed_records": 0.3, "fidelity": 0.3}}, "thresholds.k: missing; the policy has quasi-identifiers, so write k: …, such as 5"),
    ({"patients": {"references": {"id": "visits"}}}, "references run in a circle, so that no table can be treated first; remove one of them"),
    ({"thresholds": {"k": 3, "max_risk": 0.34, "suppressed_records": 0.3, "fidelity": 0.3, "reviewed_recall": 0.9}}, "thresholds.reviewed_recall: notes of several tables cannot be reviewed yet; remove it, or write a policy of the table with the notes"),
    ({"colour": 3}, "colour: unknown key"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "message"), FAULTS)
def test_a_faulty_policy_over_tables_is_told_at_its_place(
    tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    """As of one table, with the table before."""
    with pytest.raises(FaultyPolicyError) as caught:
        load_any_policy(write(tmp_path, policy_of(**changed)))
    assert message in str(caught.value)


def test_a_reference_needs_the_pseudonym_of_the_key(tmp_path: Path) -> None:
    """Another key, or none, and the tables could not be joined."""
    policy = policy_of()
    policy["tables"]["visits"]["columns"]["patient"]["treat"] = CODE | {"prefix": "P-"}
    with pytest.raises(
        FaultyPolicyError, match="have to leave with the same pseudonym, or rows could not be joined"
    ):
        load_any_policy(write(tmp_path, policy))


def test_faults_of_sources_and_keys_have_the_table_before_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All at once, before a row is read."""
    file = write(tmp_path, policy_of())
    pl.read_parquet(tmp_path / "visits.parquet").with_columns(more=1).write_parquet(
        tmp_path / "visits.parquet"
    )
    monkeypatch.delenv("ANON_KEY_SHIFTS")
    with pytest.raises(FaultyPolicyError) as caught:
        run(file)
    told = str(caught.value)
    assert "tables.visits.columns: the source has a column more that the policy does not name" in told
    assert "tables.findings.columns.day.treat.key: " in told


def test_local_recoding_and_dropped_rows_go_together(tmp_path: Path) -> None:
    """Combinations that only dropped rows have are known to the validator, and leave in no file."""
    policy = policy_of(thresholds={"k": 2, "max_risk": 0.5, "suppressed_records": 0.9, "fidelity": 1.0})
    flat = {"technique": "generalize", "hierarchy": {"kind": "flat"}}
    # each place has patients: a few places are alone with their size and go, with all of their patients
    policy["tables"]["places"] = {
        "source": {"format": "parquet", "path": "places.parquet"},
        "person": "place",
        "key": "place",
        "columns": {
            "place": {"role": "direct_identifier", "treat": CODE},
            "size": {"role": "quasi_identifier", "treat": flat | {"coarsest": "value"}},
        },
    }
    policy["tables"]["patients"] |= {
        "references": {"place": "places"},
        "recoding": {"model": "local", "labels": "hierarchy", "effort": "fast"},
    }
    policy["tables"]["patients"]["columns"]["place"] = {"role": "direct_identifier", "treat": CODE}
    file = write(tmp_path, policy)
    sizes = [100] * 8 + [7]
    pl.DataFrame({"place": [f"L{i}" for i in range(9)], "size": sizes}).write_parquet(
        tmp_path / "places.parquet"
    )
    patients = pl.read_parquet(tmp_path / "patients.parquet")
    places = ["L8" if age > 60 else f"L{i % 9}" for i, age in enumerate(patients["age"])]
    patients.with_columns(place=pl.Series(places)).write_parquet(tmp_path / "patients.parquet")
    outcome = run(file)
    assert outcome.released
    assert outcome.validated.assessment is not None
    by_name = {metric.name: metric.value for metric in outcome.validated.assessment.metrics}
    assert by_name["patients: suppressed records"] == pytest.approx(places.count("L8") / PATIENTS)


def test_a_person_with_two_rows_where_everybody_has_one_stops_the_run(tmp_path: Path) -> None:
    """As the key of a table nobody refers to."""
    policy = policy_of()
    policy["tables"] = {"patients": policy["tables"]["patients"]}
    file = write(tmp_path, policy)
    patients = pl.read_parquet(tmp_path / "patients.parquet")
    pl.concat([patients, patients.head(1)]).write_parquet(tmp_path / "patients.parquet")
    with pytest.raises(
        SourceError, match=r"has 91 rows of 90 people, but the policy says that everybody has one"
    ):
        run(file)
