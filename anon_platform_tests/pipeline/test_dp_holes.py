"""Ways around the budget, losses that are paid for nothing, and what would tell of the data: none is open."""

import datetime as dt
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from anon_platform.errors import BudgetError, PolicyError, SourceError, StorageError
from anon_platform.ledger import Ledger
from anon_platform.ledger.balance import Balance
from anon_platform.ledger.budget import Budget
from anon_platform.pipeline import STAGES, run
from anon_platform.pipeline.dp import releasing, stages
from anon_platform_tests.clinic import visits, write_csv
from anon_platform_tests.private_clinic import SYNTHETIC, make_private_clinic, said

POPULATION = "patients_of_the_clinic"
PUBLISH = {"formats": ["parquet", "csv"], "recipient": "tests", "purpose": "tests"}


def balance() -> Balance:
    with Ledger.open() as ledger:
        return Budget(ledger).balance(POPULATION)


def states() -> list[str]:
    return [each.state for each in balance().releases]


def columns(**changes: Any) -> dict[str, Any]:
    """The clinic's columns with some of them written anew."""
    return {**said()["columns"], **changes}


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("other", ["Tests", "tests ", " tests", "TE\N{LATIN SMALL LETTER LONG S}TS"])
def test_a_recipient_written_otherwise_gets_no_cap_of_its_own(tmp_path: Path, other: str) -> None:
    """Who is given two releases under two spellings of one name would have twice the recipient's cap."""
    assert run(make_private_clinic(tmp_path)).released
    again = make_private_clinic(tmp_path, publish={**PUBLISH, "recipient": other})
    with pytest.raises(BudgetError, match="as tests, who has an account"):
        run(again)
    assert states() == ["settled"]


def test_a_blank_recipient_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(BudgetError, match="a request names its recipient"):
        run(make_private_clinic(tmp_path, publish={**PUBLISH, "recipient": "  "}))


def test_what_was_drawn_outlives_a_failure_while_the_release_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The noise is paid for: a full disk or a broken report must not cost it."""
    file = make_private_clinic(tmp_path)
    drawn: dict[str, bytes] = {}

    def full(report: Path, **_named: Any) -> None:
        drawn.update(files_of(report.parent / "data"))
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(releasing, "write_dp_report", full)
        with pytest.raises(StorageError, match="nothing was released"):
            run(file)
    assert states() == ["spent"]
    outcome = run(file)
    assert outcome.released
    assert files_of(Path(outcome.validated.path) / "data") == drawn
    assert states() == ["settled"]


def test_a_reservation_that_was_never_used_comes_back_even_when_staging_is_gone(
    tmp_path: Path, anon_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a run that was killed before it read anything takes its ε for ever."""
    file = make_private_clinic(tmp_path)
    STAGES["raw"](file)
    assert states() == ["reserved"]
    shutil.rmtree(anon_home / "staging")
    monkeypatch.setattr(stages, "snapshot", lambda *_a, **_k: pytest.fail("read"))
    assert run_fails(make_private_clinic(tmp_path, title="Another policy"))
    assert "reserved" not in states()


def run_fails(file: Path) -> bool:
    try:
        run(file)
    except BaseException:  # noqa: BLE001 - whatever the test made of it
        return True
    return False


def test_the_ledger_keeps_no_fingerprint(tmp_path: Path) -> None:
    """Equal ones would tell that two policies saw the same bytes; the release's id is enough for a retry."""
    assert run(make_private_clinic(tmp_path)).released
    with Ledger.open() as ledger:
        assert {event.input_fingerprint for event in ledger.events()} == {""}


def test_periods_that_begin_before_the_first_day_are_public_too(tmp_path: Path) -> None:
    """Bounds in the middle of a month: the month's first day is a label that the policy implies."""
    domain = {"kind": "dates", "bounds": ["2008-01-15", "2008-12-31"], "every": "month"}
    admitted = {"role": "quasi_identifier", "type": "date", "domain": domain}
    statistics = [{"name": "by_month", "measure": "count", "by": ["admitted"]}]
    outcome = run(make_private_clinic(tmp_path, columns=columns(admitted=admitted), statistics=statistics))
    assert outcome.released, outcome.validated.assessment


def test_noise_that_hides_so_few_rows_is_said_and_no_fault(tmp_path: Path) -> None:
    """An interval without an end is no number in JSON; the run must not stop there."""
    statistics = [{"name": "stay", "measure": "mean", "of": "stay", "by": ["sex"]}]
    loss = {
        "people": 100_000,
        "delta": 1e-6,
        "epsilon": 0.01,
        "caps": {w: {"epsilon": 1.0, "delta": 1e-6} for w in ("overall", "recipient")},
    }
    file = make_private_clinic(tmp_path, statistics=statistics, privacy_loss=loss)
    assert run(file).released
    limited = make_private_clinic(
        tmp_path, statistics=statistics, privacy_loss=loss, thresholds={"half_width": {"stay": 5.0}}
    )
    with pytest.raises(PolicyError, match=r"thresholds.half_width.stay: the 95 % interval has no end"):
        run(limited)


FOUND = {"role": "sensitive", "domain": {"kind": "categories", "values": "found"}}
KEYS = {
    "keys_delta": 5e-6,
    "caps": {
        "overall": {"epsilon": 3.0, "delta": 1e-4, "keys_delta": 5e-5},
        "recipient": {"epsilon": 2.0, "delta": 1e-4, "keys_delta": 5e-5},
    },
}


def test_a_comparison_that_cannot_be_made_is_refused_before_it_is_paid_for(tmp_path: Path) -> None:
    """Of found categories the type is known from the source alone."""
    where = [{"column": "diagnosis", "equals": 5}]
    statistics = [{"name": "few", "measure": "count", "where": where}]
    file = make_private_clinic(
        tmp_path, columns=columns(diagnosis=FOUND), statistics=statistics, privacy_loss=KEYS
    )
    with pytest.raises(PolicyError, match="column diagnosis is String; compare it with values of this type"):
        run(file)
    with pytest.raises(BudgetError, match="nothing was ever spent"):
        balance()


def test_a_table_that_cannot_be_coded_is_refused_before_it_is_paid_for(tmp_path: Path) -> None:
    domain = {"kind": "categories", "values": [1, 2], "other": "more"}
    stay = {"role": "insensitive", "type": "integer", "domain": domain}
    file = make_private_clinic(tmp_path, columns=columns(stay=stay), statistics=None, synthetic=SYNTHETIC)
    with pytest.raises(PolicyError, match="'more' cannot stand in it"):
        run(file)
    with pytest.raises(BudgetError, match="nothing was ever spent"):
        balance()


@pytest.mark.parametrize("kind", ["statistics", "synthetic"])
def test_whole_numbers_may_be_found(tmp_path: Path, kind: str) -> None:
    stay = {"role": "insensitive", "type": "integer", "domain": {"kind": "categories", "values": "found"}}
    made: dict[str, Any] = {"statistics": [{"name": "by_stay", "measure": "people", "by": ["stay"]}]}
    if kind == "synthetic":
        made = {"statistics": None, "synthetic": SYNTHETIC}
    outcome = run(make_private_clinic(tmp_path, columns=columns(stay=stay), privacy_loss=KEYS, **made))
    assert outcome.released, outcome.validated.assessment


def test_found_groups_of_nobody_make_an_empty_table(tmp_path: Path) -> None:
    """That no row is left is as private as any number: the run ends as others do."""
    statistics = [
        {"name": "none", "measure": "count", "by": ["diagnosis"], "where": [{"column": "age", "above": 99}]}
    ]
    outcome = run(
        make_private_clinic(
            tmp_path, columns=columns(diagnosis=FOUND), statistics=statistics, privacy_loss=KEYS
        )
    )
    assert outcome.released, outcome.validated.assessment


def test_categories_of_the_source_s_type_do_not_ride_along(tmp_path: Path, anon_home: Path) -> None:
    """Parquet keeps the names of all categories of a column, also of those that noise did not find."""
    rows = pl.read_csv(write_clinic(tmp_path), infer_schema=False)
    kinds = pl.Enum(["burn", "cold", "flu", "gout", "named_in_the_type_only"])
    folder = tmp_path / "parquet"
    folder.mkdir()
    rows.with_columns(pl.col("diagnosis").cast(kinds), pl.col("age", "stay").cast(pl.Int64)).write_parquet(
        folder / "visits.parquet"
    )
    outcome = run(
        make_private_clinic(
            tmp_path,
            source={"format": "parquet", "path": "parquet"},
            columns=columns(diagnosis=FOUND, admitted={"role": "quasi_identifier"}),
            statistics=[{"name": "by_kind", "measure": "people", "by": ["diagnosis"]}],
            privacy_loss=KEYS,
        )
    )
    assert outcome.released, outcome.validated.assessment
    told = [
        path
        for path in anon_home.rglob("*")
        if path.is_file() and b"named_in_the_type_only" in path.read_bytes()
    ]
    assert not told


@pytest.mark.parametrize("kind", ["statistics", "synthetic"])
def test_no_value_of_one_person_stops_a_run(tmp_path: Path, kind: str) -> None:
    """Numbers, days and times as large as their types hold: where one row fails a run, the failure tells of that row."""
    most = 2**63 - 1
    times = pl.Series("time", [most, -most, None, 0, 1, 2], dtype=pl.Int64)
    odd = {
        "patient": [f"p{number}" for number in range(6)],
        "number": [float("nan"), float("inf"), -float("inf"), None, 1e308, -0.0],
        "whole": [most, -most, None, 0, 1, 2],
        "day": pl.Series([2**31 - 1, -(2**31), None, 0, 1, 2], dtype=pl.Int32).cast(pl.Date),
        "time": times.cast(pl.Datetime("us")),
        "zone": times.cast(pl.Datetime("us", "America/New_York")),
        "text": ["\x00", "", None, "x" * 5000, "a", "rest"],
    }
    (tmp_path / "odd").mkdir()
    pl.DataFrame(odd).write_parquet(tmp_path / "odd" / "rows.parquet")
    year = {"kind": "dates", "bounds": ["2008-01-01", "2008-12-31"], "every": "day"}
    domains: dict[str, Any] = {
        "number": {"kind": "numbers", "bounds": [0, 10], "bins": 5},
        "whole": {"kind": "numbers", "bounds": [-5, 10], "bins": 5},
        "day": year, "time": year, "zone": year,
        "text": {"kind": "categories", "values": ["a", "b"], "other": "rest"},
    }  # fmt: skip
    named = {name: {"role": "sensitive", "domain": domain} for name, domain in domains.items()}
    statistics: list[dict[str, Any]] = [
        {"name": f"by_{name}", "measure": "count", "by": [name]} for name in domains
    ]
    statistics += [
        {"name": f"of_{name}", "measure": "variance", "of": name, "by": ["text"]}
        for name in ("number", "whole")
    ]
    made: dict[str, Any] = {"statistics": statistics}
    if kind == "synthetic":
        made = {"statistics": None, "synthetic": {"rows": 200, "target": "text"}}
    outcome = run(
        make_private_clinic(
            tmp_path,
            source={"format": "parquet", "path": "odd"},
            columns={"patient": {"role": "direct_identifier"}, **named},
            **made,
        )
    )
    assert outcome.released, outcome.validated.assessment


def test_times_with_a_zone_count_on_the_day_that_they_show(tmp_path: Path) -> None:
    """Half past eleven in New York is the next day in Greenwich."""
    late = pl.Series([dt.datetime(2008, 12, 30, 23, 30)] * 500).dt.replace_time_zone("America/New_York")
    (tmp_path / "late").mkdir()
    pl.DataFrame({"patient": [f"p{number}" for number in range(500)], "time": late}).write_parquet(
        tmp_path / "late" / "rows.parquet"
    )
    days = {"kind": "dates", "bounds": ["2008-12-29", "2008-12-31"], "every": "day"}
    outcome = run(
        make_private_clinic(
            tmp_path,
            source={"format": "parquet", "path": "late"},
            columns={
                "patient": {"role": "direct_identifier"},
                "time": {"role": "sensitive", "domain": days},
            },
            statistics=[{"name": "by_day", "measure": "count", "by": ["time"]}],
        )
    )
    counted = pl.read_parquet(Path(outcome.validated.path) / "data" / "by_day.parquet")
    assert counted.sort("value", descending=True)["time"].to_list()[0] == dt.date(2008, 12, 30)


@pytest.mark.parametrize("what", ["value", "missing"])
def test_the_report_of_a_refused_release_shows_no_value_of_its_files(
    tmp_path: Path, anon_home: Path, what: str
) -> None:
    """A file with a name in it is refused; the report, which stays, must not show the name. Nor does a missing file stop it."""
    file = make_private_clinic(tmp_path, publish={**PUBLISH, "formats": ["csv"]})
    for name in ("raw", "analyzed", "anonymized"):
        STAGES[name](file)
    (data,) = anon_home.glob("staging/clinic_numbers/*/anonymized/data")
    if what == "value":
        pl.read_csv(data / "by_sex.csv").with_columns(sex=pl.lit("Name7")).write_csv(data / "by_sex.csv")
    else:
        (data / "by_sex.csv").unlink()
    report = STAGES["validated"](file)
    assert report.assessment is not None
    assert not report.assessment.passed
    assert not [path for path in anon_home.rglob("*") if path.is_file() and b"Name7" in path.read_bytes()]
    assert states() == ["settled"]


def write_clinic(folder: Path) -> Path:
    source = folder / "source" / "visits.csv"
    source.parent.mkdir(exist_ok=True)
    write_csv(source, visits(250))
    return source


def test_stages_in_another_order_draw_nothing_twice(tmp_path: Path) -> None:
    """As single assets are materialized by hand: what comes too early is refused, what comes again finds its result."""
    file = make_private_clinic(tmp_path)
    for early in ("analyzed", "anonymized", "validated"):
        with pytest.raises(SourceError, match="materialize"):
            STAGES[early](file)
    for name in ("raw", "analyzed", "anonymized"):
        STAGES[name](file)
    drawn = files_of(next((tmp_path / "anon_home").glob("staging/clinic_numbers/*/anonymized/data")))
    for name in ("anonymized", "analyzed", "raw", "anonymized"):
        STAGES[name](file)
    release = Path(STAGES["validated"](file).path)
    assert files_of(release / "data") == drawn
    STAGES["anonymized"](file)
    assert STAGES["validated"](file).path == str(release)
    assert states() == ["spent"] or states() == ["settled"]
    STAGES["cataloged"](file)
    assert states() == ["settled"]


def test_a_policy_changed_between_stages_starts_anew(tmp_path: Path) -> None:
    file = make_private_clinic(tmp_path)
    STAGES["raw"](file)
    STAGES["analyzed"](file)
    make_private_clinic(tmp_path, privacy_loss={"contribution": 1})
    with pytest.raises(SourceError, match="the policy changed since raw was materialized"):
        STAGES["anonymized"](file)
    STAGES["raw"](file)
    assert states() == ["returned", "reserved"]


def test_staging_that_is_deleted_after_noise_was_drawn_is_paid_and_over(
    tmp_path: Path, anon_home: Path
) -> None:
    file = make_private_clinic(tmp_path)
    for name in ("raw", "analyzed", "anonymized"):
        STAGES[name](file)
    shutil.rmtree(anon_home / "staging")
    with pytest.raises(BudgetError, match="noise is not drawn twice"):
        run(file)
    assert states() == ["spent"]


def test_validation_reads_nothing_but_files_that_leave(tmp_path: Path, anon_home: Path) -> None:
    """The rows may be gone by then, in the source and in staging."""
    file = make_private_clinic(tmp_path)
    for name in ("raw", "analyzed", "anonymized"):
        STAGES[name](file)
    for folder in anon_home.glob("staging/clinic_numbers/*"):
        for part in ("raw", "analyzed"):
            shutil.rmtree(folder / part, ignore_errors=True)
    header = (tmp_path / "source" / "visits.csv").read_text().splitlines()[0]
    (tmp_path / "source" / "visits.csv").write_text(header + "\n")
    assert STAGES["validated"](file).assessment is not None


def test_a_run_that_is_killed_at_any_moment_pays_and_draws_once(tmp_path: Path, anon_home: Path) -> None:
    """SIGKILL at 4 moments of a run: whatever left is covered by what is spent, and no release has two results."""
    file = make_private_clinic(tmp_path)
    key = file.with_name("drawn.txt")
    program = (
        "import sys, pathlib\n"
        "from anon_platform.pipeline import run\n"
        "from anon_platform.pipeline.dp import stages\n"
        "whole = stages.draw\n"
        "def draw(policy, rows, *more):\n"
        "    with open(sys.argv[2], 'a') as out: out.write(policy.title + chr(10))\n"
        "    return whole(policy, rows, *more)\n"
        "stages.draw = draw\n"
        "print('ready', flush=True)\n"
        "run(pathlib.Path(sys.argv[1]))\n"
    )
    for number in range(4):
        make_private_clinic(
            tmp_path,
            title=f"Run {number}",
            privacy_loss={"epsilon": 0.1, "caps": {w: {"epsilon": 3.0, "delta": 1e-4} for w in ("overall", "recipient")}},
        )  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-c", program, str(file), str(key)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=dict(os.environ),
        )  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.3 * (number + 1))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        run_fails(file)
    drawn = key.read_text().splitlines() if key.exists() else []
    assert len(drawn) == len(set(drawn))
    held = {each.release_id: each.state for each in balance().releases}
    out = [path.name for path in anon_home.glob("releases/clinic_numbers/*")]
    assert out
    assert {held[name] for name in out} <= {"spent", "settled"}


def test_a_query_for_somebody_else_is_paid_for_by_both(tmp_path: Path) -> None:
    """The same question to two recipients is two releases, each with noise of its own."""
    file = make_private_clinic(tmp_path)
    assert run(file).released
    other = make_private_clinic(tmp_path, publish={**PUBLISH, "recipient": "others"})
    assert run(other).released
    both = balance()
    assert [share.recipient for share in both.recipients] == ["others", "tests"]
    assert both.overall.spent.units == 2 * both.recipients[0].spent.units


def test_manifest_and_staging_name_no_number_of_rows(tmp_path: Path) -> None:
    """What `raw` and `analyzed` report is known before a row is read: the same for another source."""
    told = []
    for patients in (100, 250):
        folder = tmp_path / str(patients)
        folder.mkdir()
        outcome = run(make_private_clinic(folder, patients=patients))
        manifest = json.loads((Path(outcome.validated.path) / "manifest.json").read_text())
        told.append({name: manifest[name] for name in ("stages", "plan", "rows", "types", "people")})
    assert told[0] == told[1]
