"""Runs with keys: a rotated key makes another release, and a run never mixes two versions."""

import csv
import json
from pathlib import Path

import polars as pl
import pytest
import yaml

from anon_platform.custody import rotate
from anon_platform.errors import SourceError
from anon_platform.keys import create_key, load_key
from anon_platform.keys.places import Slot
from anon_platform.ledger import Ledger
from anon_platform.pipeline import analyzed, anonymized, raw, run, validated, verify
from anon_platform.policy import FaultyPolicyError, load_policy
from anon_platform.publish import read_json
from anon_platform.reidentify import ask
from anon_platform.vault import Vault
from anon_platform.version import RELEASED_DATA_VERSION
from anon_platform_tests.clinic import make_clinic
from anon_platform_tests.pipeline.test_tables_run import policy_of, write_tables

SMALL = {"patients": 120, "model": None}


def coded(folder: Path, name: str = "clinic", **changes: object) -> Path:
    """A clinic whose visits leave as tokens."""
    file = make_clinic(folder, name=name, **SMALL, **changes)
    said = yaml.safe_load(file.read_text())
    said["columns"]["visit"]["treat"] = {"technique": "tokenize", "key": "codes"}
    said["columns"]["stay"]["treat"] = {
        "technique": "noise",
        "distribution": "laplace",
        "scale": 2.0,
        "bottom": 0,
    }
    file.write_text(yaml.safe_dump(said, sort_keys=False))
    return file


def released_codes(folder: Path) -> set[str]:
    """The tokens of a release, all different."""
    with next((folder / "data").glob("*.csv")).open() as file:
        found = [row["visit"] for row in csv.DictReader(file)]
    assert len(set(found)) == len(found) > 0
    return set(found)


def test_a_rotated_key_makes_another_release(tmp_path: Path) -> None:
    """Otherwise the release of the old key would be found and given to the new recipient."""
    create_key("codes")
    policy = coded(tmp_path)
    first = run(policy).validated
    assert run(policy).validated.reused
    manifest = read_json(Path(first.path) / "manifest.json")
    assert manifest["stages"]["raw"]["keys"] == {"codes": load_key("codes").check}
    assert verify(Path(first.path)).passed
    rotate("codes")
    second = run(policy).validated
    assert second.release_id != first.release_id
    assert not second.reused
    assert not released_codes(Path(first.path)) & released_codes(Path(second.path))
    with Ledger.open() as ledger:
        assert {entry.release_id for entry in ledger.releases()} == {first.release_id, second.release_id}


def test_two_releases_of_one_key_join_on_their_tokens(tmp_path: Path) -> None:
    """Another dataset, in another process or on another day, has the same token for the same value."""
    create_key("codes")
    found = [
        released_codes(Path(run(coded(tmp_path / name, name)).validated.path)) for name in ("one", "two")
    ]
    assert len(found[0] & found[1]) > min(map(len, found)) // 2


def test_a_policy_without_keys_keeps_its_release(tmp_path: Path) -> None:
    """Whatever keys there are beside it: the id was this one before keys were part of it."""
    policy = make_clinic(tmp_path, **SMALL)
    before = raw(policy).release_id
    found = raw(policy).numbers
    said = [load_policy(policy).hash, found["fingerprint"], str(RELEASED_DATA_VERSION), found["populations"]]
    assert before == load_key("instance").derive("release").token("|".join(said), 20)
    create_key("codes")
    assert raw(policy).release_id == before
    assert raw(policy).numbers["keys"] == {}


def test_a_key_that_is_rotated_in_the_middle_of_a_run_stops_it(tmp_path: Path) -> None:
    """Half of the release would be under another key than its name says."""
    create_key("codes")
    policy = coded(tmp_path)
    stopped = "dataset clinic: key codes was rotated since raw was materialized; materialize raw again"
    raw(policy)
    analyzed(policy)
    rotate("codes")
    with pytest.raises(SourceError) as told:
        anonymized(policy)
    assert str(told.value) == stopped
    raw(policy)
    analyzed(policy)
    anonymized(policy)
    rotate("codes")
    with pytest.raises(SourceError) as told:
        validated(policy)
    assert str(told.value) == stopped
    assert run(policy).released


def test_a_vault_without_its_key_is_told_by_the_plan(tmp_path: Path) -> None:
    """Before a row is read, at the place in the policy."""
    create_key("codes")
    policy = coded(tmp_path)
    assert run(policy).released
    Slot("codes").path.unlink()
    with pytest.raises(
        FaultyPolicyError, match="no key 'codes': set ANON_KEY_CODES or run: anon keys create codes"
    ):
        run(policy)
    create_key("codes")
    with pytest.raises(
        FaultyPolicyError, match=r"columns.visit.treat.key: the vault \S+ has tokens of key 'codes' with"
    ):
        run(policy)


def test_a_refused_release_leaves_tokens_that_say_nothing(tmp_path: Path) -> None:
    """The next release finds them; nobody else knows them."""
    create_key("codes")
    outcome = run(coded(tmp_path, thresholds={"fidelity": 0.0}))
    assert not outcome.released
    assert not (tmp_path / "anon_home" / "releases" / "clinic").exists()
    with Vault.open() as vault:
        key = load_key("codes")
        tokens = vault.tokens(key, ["V00000"], 26)
        assert vault.values(key, tokens) == {tokens[0]: "V00000"}
    again = run(coded(tmp_path))
    assert again.released


def test_several_tables_join_on_tokens_and_lead_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of a patient has one token in all tables; its rotation makes another release, in the middle none."""
    for key in ("codes", "shifts"):
        create_key(key)
    write_tables(tmp_path)
    text = json.dumps(policy_of()).replace('"pseudonymize"', '"tokenize"')
    policy = tmp_path / "hospital.yaml"
    policy.write_text(text)
    outcome = run(policy)
    assert outcome.released
    first = Path(outcome.validated.path)
    assert set(read_json(first / "manifest.json")["stages"]["raw"]["keys"]) == {"codes", "shifts"}
    patients, visits = (
        pl.read_parquet(first / "tables" / name / "data" / "*.parquet") for name in ("patients", "visits")
    )
    known = set(patients["id"])
    assert known  # some visits are of patients that the source does not know
    assert len(known & set(visits["patient"])) > len(known) * 0.9
    monkeypatch.setenv("ANON_ACTOR", "alice")
    with Ledger.open() as ledger:
        asked = ask(ledger, "hospital", "visits.patient", visits["patient"].unique().to_list()[:3], "why")
        assert (asked.technique, asked.check) == ("tokenize", load_key("codes").check)
    rotate("shifts")
    assert raw(policy).release_id != first.name
    analyzed(policy)
    rotate("codes")
    with pytest.raises(
        SourceError, match=r"^dataset hospital: key codes was rotated since raw was materialized; "
    ):
        anonymized(policy)
