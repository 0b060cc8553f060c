"""The sensor starts one run for a file that has settled, and none while it is still being written."""

import json
import os
import time
from pathlib import Path

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anon_platform.definitions.automation import run_key, unsettled
from anon_platform.definitions.datasets import dataset_definitions
from anon_platform_tests.clinic import make_clinic

SETTLE = 60


@pytest.fixture
def watched(tmp_path: Path) -> Path:
    """A policy that watches its source folder."""
    return make_clinic(tmp_path, watch={"settle_seconds": SETTLE})


def tick(file: Path, cursor: str | None = None) -> tuple[list[dg.RunRequest], str | None, str | None]:
    """Run requests, skip message and cursor of one evaluation."""
    sensor = dataset_definitions(file).resolve_sensor_def("clinic_new_source_data")
    with dg.build_sensor_context(cursor=cursor) as context:
        found = sensor.evaluate_tick(context)
    return list(found.run_requests or []), found.skip_message, found.cursor


def age(file: Path, seconds: float) -> None:
    """Sets the time of the last change back."""
    then = time.time() - seconds
    os.utime(file, (then, then))


def test_a_file_that_is_still_being_written_starts_nothing(watched: Path) -> None:
    """Half a file would be half a release."""
    requests, message, cursor = tick(watched)
    assert not requests
    assert "still being written" in str(message)
    assert cursor is None


def test_a_settled_file_starts_one_run_and_the_next_tick_none(watched: Path) -> None:
    """Once for each state of the source."""
    age(watched.parent / "source" / "visits.csv", SETTLE + 1)
    requests, _, cursor = tick(watched)
    assert len(requests) == 1
    again, message, _ = tick(watched, cursor)
    assert not again
    assert message == "no new file"


def test_a_changed_file_starts_another_run(watched: Path) -> None:
    """The run key tells the two states apart, so that Dagster does not take them for one."""
    source = watched.parent / "source" / "visits.csv"
    age(source, SETTLE + 100)
    first, _, cursor = tick(watched)
    source.write_text(source.read_text() + source.read_text().splitlines()[-1] + "\n")
    age(source, SETTLE + 50)
    second, _, _ = tick(watched, cursor)
    assert first[0].run_key != second[0].run_key


def test_a_policy_without_files_yet_waits(watched: Path) -> None:
    """The folder may be there before its first file."""
    (watched.parent / "source" / "visits.csv").unlink()
    requests, message, _ = tick(watched)
    assert not requests
    assert "no csv file at source.path" in str(message)


def test_the_cursor_holds_paths_times_and_sizes_only(watched: Path) -> None:
    """Dagster stores cursors in clear."""
    age(watched.parent / "source" / "visits.csv", SETTLE + 1)
    _, _, cursor = tick(watched)
    assert [len(mark) for mark in json.loads(str(cursor)).values()] == [2]


seen = st.dictionaries(
    st.text("ab/", min_size=1, max_size=4), st.tuples(st.integers(0, 99), st.integers(0, 9)).map(list)
)


@given(seen, seen)
def test_equal_states_and_only_they_share_a_run_key(
    left: dict[str, list[int]], right: dict[str, list[int]]
) -> None:
    """Two states with one key would lose a release."""
    assert (run_key(left, "p") == run_key(right, "p")) == (left == right)
    assert run_key(left, "p") != run_key(left, "q")


@given(seen, seen, st.integers(0, 120))
def test_only_new_and_changed_files_have_to_settle(
    now: dict[str, list[int]], before: dict[str, list[int]], moment: int
) -> None:
    """A file that was handled already may be touched by nobody; it does not hold others up."""
    expected = sum(
        1 for path, mark in now.items() if before.get(path) != mark and moment * 10**9 - mark[0] < 5 * 10**9
    )
    assert unsettled(now, before, 5, moment * 10**9) == expected
