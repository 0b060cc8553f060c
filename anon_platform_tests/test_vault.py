"""The vault: one token a value for every process, nothing readable without the key, and no changed row goes unnoticed."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from subprocess import PIPE

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from anon_platform import vault as vault_module
from anon_platform.anonymize import Tokenize
from anon_platform.database import database_url, vault_url
from anon_platform.errors import IntegrityError, KeyUnavailableError, StorageError
from anon_platform.keys import Key, load_key
from anon_platform.vault import Vault
from anon_platform_tests.postgres import fresh_database

PROCESSES = 8
VALUES = 3_000
CANARY = "Quetzalcoatl"

DRAW = f"""
import sys
from anon_platform.keys import load_key
from anon_platform.vault import Vault
mine = int(sys.argv[1])
texts = [f"value {{number}}" for number in range({VALUES})]
texts = texts[mine * 300:] + texts[: mine * 300]
print("ready", flush=True)
sys.stdin.readline()
with Vault.open() as vault:
    found = dict(zip(texts, vault.tokens(load_key("patients"), texts, 26)))
print(*(found[text] for text in sorted(found)))
"""


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two keys of this test."""
    monkeypatch.setenv("ANON_KEY_PATIENTS", bytes(range(32)).hex())
    monkeypatch.setenv("ANON_KEY_OTHERS", bytes(range(100, 132)).hex())


@pytest.fixture
def vault(database: str) -> Iterator[Vault]:
    """An empty vault, on each kind of database."""
    with Vault.open() as opened:
        yield opened


def change(statement: str, **values: object) -> None:
    """What somebody does to the vault who has the database and not the key."""
    engine = create_engine(vault_url())
    with engine.begin() as connection:
        connection.execute(text(statement), values)
    engine.dispose()


def stored() -> list[tuple[bytes, str, str, bytes]]:
    """All rows as they lie there."""
    engine = create_engine(vault_url())
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT lookup, token, check_value, sealed FROM anon_vault")).all()
    engine.dispose()
    return [(bytes(lookup), token, check, bytes(sealed)) for lookup, token, check, sealed in rows]


def test_eight_processes_at_once_agree_on_every_token(database: str) -> None:
    """They start on an empty vault, each in another order; no value has two tokens and no token two values."""
    with ExitStack() as stack:
        processes = []
        for number in range(PROCESSES):
            command = [sys.executable, "-c", DRAW, str(number)]
            process = subprocess.Popen(command, text=True, stdin=PIPE, stdout=PIPE, stderr=PIPE)
            processes.append(stack.enter_context(process))
            stack.callback(process.kill)
        assert [each.stdout and each.stdout.readline() for each in processes] == ["ready\n"] * PROCESSES
        for process in processes:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        said = [process.communicate(timeout=100) for process in processes]
    assert [error for _, error in said] == [""] * PROCESSES
    assert len({out for out, _ in said}) == 1
    tokens = said[0][0].split()
    assert len(set(tokens)) == len(tokens) == VALUES == len(stored())


texts = st.text(st.characters(codec="utf-8"), max_size=12)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(texts, max_size=8, unique=True), st.integers(16, 51), st.sampled_from(["", "P-"]))
def test_tokens_come_back_as_the_values_they_stand_for(
    anon_home: Path, values: list[str], length: int, prefix: str
) -> None:
    """The empty text and every character included; the token has the wanted length and is the same again."""
    technique = Tokenize(technique="tokenize", key="patients", length=length, prefix=prefix)
    column = pl.Series("mrn", values, dtype=pl.String)
    found = technique.fit("mrn", pl.String())(column)
    assert [len(code) for code in found] == [len(prefix) + length] * len(values)
    assert technique.fit("other", pl.String())(column).to_list() == found.to_list()
    assert technique.undo("mrn")(found).to_list() == values
    assert found.n_unique() == len(values)


def test_a_token_says_nothing_of_its_value(vault: Vault) -> None:
    """The same values under another key, or in another vault, have tokens that nobody can foresee."""
    key, other = load_key("patients"), load_key("others")
    mine, theirs, long = (
        vault.tokens(key, ["a", "b"], 16),
        vault.tokens(other, ["a", "b"], 16),
        vault.tokens(key, ["a", "b"], 51),
    )
    assert not {*mine} & {*theirs}
    assert not [token for token in long if token[:16] in mine]
    change("DELETE FROM anon_vault")
    assert not {*mine} & {*vault.tokens(key, ["a", "b"], 16)}


def test_who_has_the_database_reads_no_value(vault: Vault, anon_home: Path) -> None:
    """Neither in a row nor in the bytes of the file; equal values under two keys share nothing."""
    for key in ("patients", "others"):
        vault.tokens(load_key(key), [CANARY, f"{CANARY} 2"], 26)
    seen = "".join(repr(row) for row in stored())
    assert CANARY not in seen
    columns = list(zip(*stored(), strict=True))
    assert [len(set(column)) for column in columns] == [4, 4, 2, 4]
    for file in anon_home.glob("vault.db*"):
        assert CANARY.encode() not in file.read_bytes()


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE anon_vault SET token = 'aaaaaaaaaaaaaaaa' WHERE lookup = :lookup",
        "UPDATE anon_vault SET sealed = :other WHERE lookup = :lookup",
        "UPDATE anon_vault SET sealed = :short WHERE lookup = :lookup",
    ],
)
def test_a_row_that_was_changed_is_noticed(vault: Vault, damage: str) -> None:
    """A token that was put in the place of another would join two people, and undo to the wrong one."""
    key = load_key("patients")
    vault.tokens(key, ["a", "b"], 16)
    (lookup, token, _, sealed), (_, _, _, other) = stored()
    given = {"lookup": lookup, "other": other, "short": sealed[:3]}
    change(damage, **{name: value for name, value in given.items() if f":{name}" in damage})
    for read in (
        lambda: vault.tokens(key, ["a", "b"], 16),
        lambda: vault.values(key, [token, "aaaaaaaaaaaaaaaa"]),
    ):
        with pytest.raises(IntegrityError) as told:
            read()
        assert str(told.value) == (
            "the vault has a row of key 'patients' that is not what was written; put a copy of the vault back"
        )


def test_two_rows_that_were_exchanged_are_noticed(vault: Vault) -> None:
    """Each is genuine; neither is in its place."""
    key = load_key("patients")
    vault.tokens(key, ["a", "b"], 16)
    (one, _, _, _), (two, _, _, _) = stored()
    for old, new in ((one, b"x"), (two, one), (b"x", two)):
        change("UPDATE anon_vault SET lookup = :new WHERE lookup = :old", new=new, old=old)
    with pytest.raises(IntegrityError, match="not what was written"):
        vault.tokens(key, ["a"], 16)


def test_a_code_that_is_no_token_is_told_by_number(anon_home: Path) -> None:
    """The code itself may be a value that somebody typed."""
    technique = Tokenize(technique="tokenize", key="patients", prefix="P-")
    (code,) = technique.fit("mrn", pl.String())(pl.Series(["a"]))
    other = Tokenize(technique="tokenize", key="others")
    for codes, strange in (([code, CANARY, None, f"P-{CANARY}"], 2), ([code[2:]], 1)):
        with pytest.raises(IntegrityError) as told:
            technique.undo("mrn")(pl.Series(codes))
        count = len([each for each in codes if each])
        assert str(told.value) == (
            f"column mrn: {strange} of {count} codes are no tokens of key patients in the vault"
        )
    with pytest.raises(IntegrityError, match="1 of 1 codes are no tokens of key others in the vault"):
        other.undo("mrn")(pl.Series([code[2:]]))


def test_a_vault_whose_key_is_missing_or_another_one_says_so(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a wrong key every value would quietly get a second token; with none nothing is tokenized."""
    technique = Tokenize(technique="tokenize", key="patients")
    right = load_key("patients")
    vault.tokens(right, ["a"], 26)
    monkeypatch.setenv("ANON_KEY_PATIENTS", bytes(range(50, 82)).hex())
    wrong = load_key("patients")
    shown = vault_module.without_password(vault_url())
    for ask in (
        lambda: technique.fit("mrn", pl.String())(pl.Series(["a"])),
        lambda: technique.undo("mrn")(pl.Series(["a" * 26])),
        lambda: vault.require_key(wrong),
    ):
        with pytest.raises(KeyUnavailableError) as told:
            ask()
        assert str(told.value) == (
            f"the vault {shown} has tokens of key 'patients' with check value {right.check}, but the key given has"
            f" {wrong.check}; put the key back that made them, as ANON_KEY_PATIENTS or as an older version in"
            " ANON_KEY1_PATIENTS, or name another key in the policy"
        )
    assert len(stored()) == 1
    # a key that was rotated is another one too, and its older version is there
    monkeypatch.setenv("ANON_KEY1_PATIENTS", bytes(range(32)).hex())
    vault.tokens(wrong, ["a"], 26)
    assert len(stored()) == 2
    monkeypatch.delenv("ANON_KEY_PATIENTS")
    with pytest.raises(KeyUnavailableError, match=r"^no key 'patients': set ANON_KEY_PATIENTS or run: "):
        technique.fit("mrn", pl.String())


def test_a_forgotten_key_takes_its_rows_along(vault: Vault) -> None:
    """Those of other keys stay; whoever has the key still, on another machine, is told when it was forgotten."""
    key, other = load_key("patients"), load_key("others")
    tokens = vault.tokens(key, ["a", "b"], 26)
    vault.tokens(other, ["a"], 26)
    assert vault.forget([key.check], "patients") == 2
    assert vault.forget([key.check], "patients") == 0
    assert {check for _, _, check, _ in stored()} == {other.check}
    assert vault.values(key, tokens) == {}
    with pytest.raises(
        KeyUnavailableError,
        match=rf"^key 'patients' with check value {key.check} was forgotten at \S+; its tokens are gone, so name another",
    ):
        vault.tokens(key, ["a"], 26)


def test_a_vault_file_is_for_its_owner_only(anon_home: Path) -> None:
    """Also what SQLite writes beside it. One that others may read is refused with the command that mends it."""
    with Vault.open() as vault:
        vault.tokens(load_key("patients"), ["a"], 26)
        files = list(anon_home.glob("vault.db*"))
        assert len(files) == 3
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    (anon_home / "vault.db").chmod(0o640)
    with pytest.raises(StorageError) as told:
        Vault.open()
    assert str(told.value) == (
        f"the vault {anon_home}/vault.db has mode 0640, others may read it; run: chmod 600 {anon_home}/vault.db"
    )


def test_a_file_that_is_no_vault_is_named(anon_home: Path) -> None:
    """With its path."""
    (anon_home / "vault.db").write_text("x" * 5000)
    (anon_home / "vault.db").chmod(0o600)
    with pytest.raises(StorageError) as told:
        Vault.open()
    assert str(told.value) == f"the vault sqlite:///{anon_home}/vault.db is damaged or is not a vault"
    with pytest.raises(StorageError, match=r"^cannot make the vault /nowhere/vault.db: No such file"):
        Vault.open("sqlite:////nowhere/vault.db")


def test_the_vault_lies_beside_the_ledger_or_where_it_is_told_to(
    anon_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Machines that share a ledger share tokens; a vault of its own is better kept apart from the releases."""
    assert vault_url() == f"sqlite:///{anon_home}/vault.db"
    monkeypatch.setenv("ANON_POSTGRES_URL", "postgresql://anon:secret@db/ledger")
    assert vault_url() == database_url()
    monkeypatch.setenv("ANON_VAULT_POSTGRES_URL", "postgresql://keeper:secret@safe/vault")
    assert vault_url() == "postgresql+psycopg2://keeper:secret@safe/vault"
    assert database_url().endswith("@db/ledger")
    monkeypatch.setenv("ANON_VAULT_POSTGRES_URL", "mysql://keeper:secret@safe/vault")
    with pytest.raises(StorageError, match=r"^ANON_VAULT_POSTGRES_URL is not a PostgreSQL URL; ") as told:
        vault_url()
    assert "secret" not in str(told.value)


def test_a_vault_on_a_server_of_its_own_leaves_the_ledger_alone(
    postgres_url: str, anon_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who runs the ledger's database need not see the vault."""
    monkeypatch.setenv("ANON_VAULT_POSTGRES_URL", fresh_database(postgres_url))
    with Vault.open() as vault:
        vault.tokens(load_key("patients"), ["a"], 26)
    assert len(stored()) == 1
    assert not list(anon_home.glob("*.db"))
    assert make_url(database_url()).get_backend_name() == "sqlite"


def test_nothing_is_opened_for_no_value(anon_home: Path) -> None:
    """A plan asks for the type of an empty column and must not write."""
    technique = Tokenize(technique="tokenize", key="patients")
    for nothing in ([], [None]):
        assert technique.fit("mrn", pl.String())(pl.Series(nothing, dtype=pl.String)).to_list() == nothing
    assert not list(anon_home.glob("vault.db*"))


def test_lookups_and_seals_are_under_keys_of_their_own(vault: Vault) -> None:
    """A pseudonym of the same value under the same key must not be found in the vault."""
    key = load_key("patients")
    vault.tokens(key, ["a"], 26)
    ((lookup, token, check, _),) = stored()
    assert check == key.check == Key("again", bytes(range(32))).check
    assert lookup.hex() not in (key.mac(b"a").hex(), key.derive("pseudonymize").mac(b"26:a").hex())
    assert lookup == key.derive("vault/lookup").mac(b"26:a")[:16]
    assert token != key.derive("pseudonymize").token("a", 26)
    assert os.environ["ANON_KEY_PATIENTS"] not in repr(stored())
