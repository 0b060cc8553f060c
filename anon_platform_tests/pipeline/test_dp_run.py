"""Differentially private releases from source to catalog: what is spent when, and what never leaves."""

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from anon_platform.errors import BudgetError, IntegrityError, SourceError
from anon_platform.ledger import Ledger
from anon_platform.ledger.balance import Balance
from anon_platform.ledger.budget import Budget
from anon_platform.pipeline import STAGES, run, verify
from anon_platform.pipeline.dp import measuring, releasing, stages
from anon_platform.pipeline.dp.features import features_of
from anon_platform_tests.clinic import visits, write_csv
from anon_platform_tests.private_clinic import STATISTICS, SYNTHETIC, make_private_clinic

POPULATION = "patients_of_the_clinic"


def balance() -> Balance:
    with Ledger.open() as ledger:
        return Budget(ledger).balance(POPULATION)


def release_of(file: Path) -> Path:
    outcome = run(file)
    assert outcome.released, outcome.validated.assessment
    return Path(outcome.validated.path)


def states() -> list[str]:
    return [each.state for each in balance().releases]


def test_statistics_leave_with_noise_and_are_paid_for(tmp_path: Path) -> None:
    release = release_of(make_private_clinic(tmp_path))
    assert sorted(file.name for file in (release / "data").iterdir()) == [
        "by_sex.csv", "by_sex.parquet", "patients.csv", "patients.parquet", "stay.csv", "stay.parquet",
    ]  # fmt: skip
    by_sex = pl.read_parquet(release / "data" / "by_sex.parquet")
    assert by_sex["sex"].to_list() == ["F", "M", None]
    manifest = json.loads((release / "manifest.json").read_text())
    assert manifest["privacy_loss"]["epsilon"] <= 1.0
    assert states() == ["settled"]
    assert balance().overall.taken_epsilon <= 1.0
    assert verify(release).passed


def test_a_synthetic_table_keeps_domains_and_constraints(tmp_path: Path) -> None:
    limit = {"if": {"again": "yes"}, "then": {"sex": "F"}}
    release = release_of(
        make_private_clinic(tmp_path, synthetic={**SYNTHETIC, "constraints": [limit]}, statistics=None)
    )
    table = pl.read_parquet(release / "data" / "part-00000.parquet")
    assert table.height == 300
    assert set(table.columns) == {"age", "sex", "stay", "again"}
    assert table["age"].drop_nulls().is_between(0, 100).all()
    assert set(table.filter(pl.col("again") == "yes")["sex"]) <= {"F"}
    assert table["again"].null_count() == 0
    assert verify(release).passed


def test_a_retry_finds_the_release_and_spends_nothing(tmp_path: Path) -> None:
    file = make_private_clinic(tmp_path)
    first = release_of(file)
    content = {path.name: path.read_bytes() for path in (first / "data").iterdir()}
    before = balance().overall.spent
    assert release_of(file) == first
    assert {path.name: path.read_bytes() for path in (first / "data").iterdir()} == content
    assert balance().overall.spent == before


def test_over_the_cap_nothing_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two releases of ε = 1.5 do not fit a cap of 2; the second must not see a row."""
    loss = {
        "epsilon": 1.5,
        "delta": 0.0,
        "caps": {"overall": {"epsilon": 2.0, "delta": 0.0}, "recipient": {"epsilon": 2.0, "delta": 0.0}},
    }
    release_of(make_private_clinic(tmp_path, privacy_loss=loss))
    again = make_private_clinic(tmp_path, privacy_loss=loss, title="Another release")
    with monkeypatch.context() as patch:
        patch.setattr(stages, "snapshot", lambda *_a, **_k: pytest.fail("the source was read"))
        with pytest.raises(BudgetError, match=r"ε = 0.5 at δ = 0 is left over all recipients"):
            run(again)
    assert states() == ["settled"]
    with Ledger.open() as ledger:
        refused = [event for event in ledger.events() if event.outcome == "over budget"]
    assert [event.action for event in refused] == ["release.refused"]


def test_another_dataset_of_the_same_people_spends_from_the_same_account(tmp_path: Path) -> None:
    """Under zCDP, three releases of ε = 1 are less than 3, but not within a recipient's cap of 1.2."""
    caps = {"overall": {"epsilon": 1.2, "delta": 1e-5}, "recipient": {"epsilon": 1.2, "delta": 1e-5}}
    release_of(make_private_clinic(tmp_path, privacy_loss={"caps": caps}))
    other = make_private_clinic(
        tmp_path, name="other.yaml", dataset="other_name", privacy_loss={"caps": caps}
    )
    with pytest.raises(BudgetError, match="population patients_of_the_clinic"):
        run(other)


def test_a_source_that_cannot_be_read_costs_nothing(tmp_path: Path) -> None:
    rows = visits(50)
    write_csv(tmp_path / "source" / "visits.csv", [*rows[:-1], (*rows[-1][:-1], "?")])
    with pytest.raises(SourceError, match="column again is required"):
        run(make_private_clinic(tmp_path))
    assert states() == ["returned"]
    assert balance().overall.taken_epsilon == 0


def test_a_crash_while_noise_is_drawn_stays_paid_and_is_not_drawn_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = make_private_clinic(tmp_path)

    def crash(*_args: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(measuring, "write", crash)
        with pytest.raises(KeyboardInterrupt):
            run(file)
    assert states() == ["spent"]
    spent = balance().overall.spent
    with pytest.raises(BudgetError, match="drew noise and was cut off before it had published"):
        run(file)
    assert balance().overall.spent == spent


def test_a_crash_before_publication_publishes_what_was_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The noise is there: to draw it anew would be a second release."""
    file = make_private_clinic(tmp_path)
    drawn = {}

    def crash(_policy: Any, work: Any, *_args: Any) -> None:
        drawn.update({path.name: path.read_bytes() for path in (work.part("anonymized") / "data").iterdir()})
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(stages, "write_dp_release", crash)
        with pytest.raises(KeyboardInterrupt):
            run(file)
    release = release_of(file)
    assert {path.name: path.read_bytes() for path in (release / "data").iterdir()} == drawn
    assert states() == ["settled"]


def test_a_crash_after_promotion_is_settled_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = make_private_clinic(tmp_path)

    def crash(*_args: Any, **_named: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Budget, "settle", crash)
        with pytest.raises(KeyboardInterrupt):
            run(file)
    assert states() == ["spent"]
    release_of(file)
    assert states() == ["settled"]


@pytest.mark.parametrize("what", ["value", "column", "file", "ending"])
def test_what_was_not_measured_refuses_the_release(tmp_path: Path, what: str, anon_home: Path) -> None:
    """The check looks at the bytes that leave; a refused release leaves no data, and its loss stays spent."""
    file = make_private_clinic(
        tmp_path, publish={"formats": ["csv"], "recipient": "tests", "purpose": "tests"}
    )
    for name in ("raw", "analyzed", "anonymized"):
        STAGES[name](file)
    (data,) = anon_home.glob("staging/clinic_numbers/*/anonymized/data")
    table = pl.read_csv(data / "by_sex.csv")
    if what == "value":
        table.with_columns(sex=pl.lit("Name7")).write_csv(data / "by_sex.csv")
    elif what == "column":
        table.with_columns(name=pl.lit("x")).write_csv(data / "by_sex.csv")
    elif what == "file":
        (data / "patients_by_name.csv").write_text("name\nName7\n")
    else:
        (data / "by_sex.txt").write_text("name\nName7\n")
    report = STAGES["validated"](file)
    assert report.assessment is not None
    missed = {metric.check for metric in report.assessment.missed()}
    assert missed == {"public_domains"} if what == "value" else {"file_accounting"}
    assert not list(anon_home.glob("releases/*/*"))
    assert not list(anon_home.rglob("data/*"))
    assert states() == ["settled"]
    with pytest.raises(BudgetError, match="was refused, and what it spent stays spent"):
        run(file)


def _without_answers(path: Path) -> str:
    """A file as text, without the report's noisy answers and an assessment's noisy cells, which may hit a number by chance."""
    text = path.read_bytes().decode("latin-1")
    return re.sub(r'<div class="answers">.*?</div>|"cells": \[.*?\]', " ", text, flags=re.DOTALL)


@pytest.mark.parametrize("kind", ["statistics", "synthetic"])
def test_nothing_exact_is_told(tmp_path: Path, anon_home: Path, kind: str) -> None:
    """Neither numbers of rows and people, nor names, in whatever file stays; of the report and the ledger, too."""
    changes: dict[str, Any] = {"statistics": None, "synthetic": SYNTHETIC} if kind == "synthetic" else {}
    rows = visits(1237)
    write_csv(tmp_path / "source" / "visits.csv", rows)
    file = make_private_clinic(tmp_path, **changes)
    release_of(file)
    exact = {len(rows), 1237, sum(row[4] == "F" for row in rows), sum(row[-1] == "yes" for row in rows)}
    found = {
        path.name: number
        for path in anon_home.rglob("*")
        if path.is_file()
        and path.suffix in {".json", ".html", ".db", ".db-wal"}
        and path.name != "current.json"
        for number in exact
        # as a number of its own, not as digits of a hash or of a noisy one
        if re.search(rf"(?<![\w.]){number}(?![\w.])|(?<![\w.]){number:,}(?![\w.])", _without_answers(path))
    }
    assert not found
    assert not any(b"Name12" in path.read_bytes() for path in anon_home.rglob("*") if path.is_file())


def test_expected_errors_above_the_limit_are_refused_before_anything_is_spent(tmp_path: Path) -> None:
    file = make_private_clinic(tmp_path, thresholds={"half_width": {"patients": 0.5}})
    with pytest.raises(Exception, match=r"thresholds.half_width.patients: the 95 % interval would be ± "):
        run(file)
    with pytest.raises(BudgetError, match="nothing was ever spent"):
        balance()


def test_to_change_a_person_takes_twice_the_noise(tmp_path: Path) -> None:
    """Replacing somebody's rows moves twice as many as adding them."""
    policy = [
        releasing.dp_plan_of(stages_policy(tmp_path, neighbours))
        for neighbours in ("add_or_remove_person", "change_person")
    ]
    noises = [plan.expected[1].deviation for plan in policy]
    assert noises[1] == pytest.approx(2 * noises[0], rel=1e-6)


def stages_policy(folder: Path, neighbours: str) -> Any:
    from anon_platform.pipeline.run import sound_dp

    return sound_dp(make_private_clinic(folder, privacy_loss={"neighbours": neighbours}))


def test_features_are_read_from_the_files_of_a_release(tmp_path: Path) -> None:
    """A number finds its bin, a value that no domain names the group of missing ones."""
    encoded = {"name": "stay_by_age", "measure": "target_encoding", "of": "stay", "by": ["age"]}
    by_sex = {"name": "visits", "measure": "count", "by": ["sex"]}
    release = release_of(
        make_private_clinic(tmp_path, statistics=[{"name": "all", "measure": "people"}, encoded, by_sex])
    )
    of_age, of_sex = features_of(release)
    found = of_age.joined(pl.DataFrame({"age": [3, 19, 57, None, 500]}))["stay_by_age"].to_list()
    table = pl.read_parquet(release / "data" / "stay_by_age.parquet")
    values = dict(zip(table["age"].to_list(), table["value"].to_list(), strict=True))
    assert found == [values[0.0], values[0.0], values[40.0], values[None], values[80.0]]
    counts = pl.read_parquet(release / "data" / "visits.parquet")["value"].to_list()
    assert of_sex.joined(pl.DataFrame({"sex": ["M", "F", "?"]}))["visits"].to_list() == [
        counts[1],
        counts[0],
        counts[2],
    ]


def test_a_release_of_other_things_has_no_features(tmp_path: Path) -> None:
    release = release_of(make_private_clinic(tmp_path, synthetic=SYNTHETIC, statistics=None))
    with pytest.raises(IntegrityError, match="is no release of statistics"):
        features_of(release)


def test_a_release_whose_folder_is_gone_is_not_paid_for_twice(tmp_path: Path) -> None:
    import shutil

    file = make_private_clinic(tmp_path)
    shutil.rmtree(release_of(file))
    with pytest.raises(IntegrityError, match="is in the catalog, but its folder"):
        run(file)
    assert len(states()) == 1


def test_verify_finds_what_was_changed_afterwards(tmp_path: Path) -> None:
    release = release_of(make_private_clinic(tmp_path, statistics=STATISTICS[1:2]))
    table = pl.read_parquet(release / "data" / "by_sex.parquet")
    table.with_columns(sex=pl.lit("Name7")).write_parquet(release / "data" / "by_sex.parquet")
    failed = {finding.name for finding in verify(release).findings if not finding.passed}
    assert failed == {"files", "files and columns", "public domains"}
