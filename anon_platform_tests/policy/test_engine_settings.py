"""The engine section: what may be written there, and that it decides nothing about the release."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from anon_platform.errors import PolicyError
from anon_platform.policy import Engine, load_policy
from anon_platform_tests.clinic import make_clinic

LIMIT_FAULT = "write a whole number with MB, GB or TB, at least 100MB, such as 2GB"


@pytest.mark.parametrize(
    ("limit", "size"), [("100MB", 10**8), ("2GB", 2 * 10**9), ("1TB", 10**12), ("150000MB", 15 * 10**10)]
)
def test_a_memory_limit_is_a_number_of_bytes(limit: str, size: int) -> None:
    """Decimal units, as disks and DuckDB have them."""
    assert Engine(memory_limit=limit).memory_bytes == size


@pytest.mark.parametrize(
    "limit",
    [
        "",
        "2",
        "2 GB",
        "2gb",
        "2GiB",
        "0GB",
        "02GB",
        "-2GB",
        "1.5GB",
        "99MB",
        "2GB; SET x",
        "2GB\n",
        "80%",
        "٢GB",
    ],
)
def test_another_memory_limit_is_refused(limit: str) -> None:
    """A limit that is read in another way than it is meant, or that is too small to count with."""
    with pytest.raises(ValidationError, match=LIMIT_FAULT):
        Engine(memory_limit=limit)


def test_a_limit_for_polars_is_refused() -> None:
    """Whoever writes it believes that it holds."""
    with pytest.raises(ValidationError, match="Polars has no memory_limit; remove it, or write kind: duckdb"):
        Engine(kind="polars", memory_limit="2GB")


def test_the_fault_has_a_line(tmp_path: Path) -> None:
    """As all faults of a policy."""
    file = make_clinic(tmp_path, engine={"kind": "spark", "memory_limit": "much"})
    with pytest.raises(PolicyError) as caught:
        load_policy(file)
    text = str(caught.value)
    assert "engine.kind: write auto, polars or duckdb" in text
    assert f"engine.memory_limit: {LIMIT_FAULT}" in text


@given(
    st.sampled_from([{}, {"kind": "auto"}, {"kind": "polars"}, {"kind": "duckdb", "memory_limit": "2GB"}]),
)
def test_the_engine_is_no_part_of_what_the_policy_says(
    tmp_path_factory: pytest.TempPathFactory, engine: dict[str, Any]
) -> None:
    """The released data is the same, so that the release has to be the same one."""
    folder = tmp_path_factory.mktemp("p")
    without = load_policy(make_clinic(folder))
    policy = load_policy(make_clinic(folder, engine=engine))
    assert policy.engine == Engine(**engine)
    assert policy.canonical() == without.canonical()
    assert policy.hash == without.hash
    assert "engine" not in json.loads(policy.canonical())
    assert policy.model_dump(mode="json")["engine"]["kind"] == engine.get("kind", "auto")


@pytest.mark.parametrize(
    ("engine", "words"),
    [
        (Engine(), "Polars, or DuckDB when the data is large"),
        (Engine(kind="polars"), "Polars"),
        (Engine(kind="duckdb", memory_limit="500MB"), "DuckDB, within 500MB of memory"),
    ],
)
def test_the_plan_says_it_in_words(engine: Engine, words: str) -> None:
    """Shown by `anon check`."""
    assert engine.in_words() == words
