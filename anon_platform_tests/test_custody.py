"""Rotating and forgetting keys: what stays possible, what does not, and that every place of a secret is reached."""

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import keyring
import polars as pl
import pytest

from anon_platform import custody
from anon_platform.anonymize import Encrypt, EncryptFormat, Pseudonymize, Tokenize
from anon_platform.custody import forget, key_versions, rotate
from anon_platform.errors import IntegrityError, KeyUnavailableError, StorageError
from anon_platform.keys import Key, create_key, list_keys, load_key, load_version
from anon_platform.keys import places as key_places
from anon_platform.keys.places import Slot, forgotten
from anon_platform.ledger import Ledger
from anon_platform.vault import Vault
from anon_platform_tests.file_keyring import FileKeyring, KeepsNothing

SECRET = bytes(range(100, 132))
VALUES = pl.Series("mrn", ["100200", "300400"])
CODED = {
    "tokenize": Tokenize(technique="tokenize", key="patients"),
    "encrypt": Encrypt(technique="encrypt", key="patients"),
    "encrypt_format": EncryptFormat(technique="encrypt_format", key="patients"),
}


@pytest.fixture(params=["file", "keyring"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where new keys are made: a file, or a keyring."""
    if request.param == "keyring":
        use_keyring(FileKeyring(), tmp_path, monkeypatch)
    return str(request.param)


def use_keyring(backend: FileKeyring, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Turns the keyring on, with this backend of the library."""
    file = folder / "keyring.json"
    monkeypatch.setenv("TEST_KEYRING", str(file))
    monkeypatch.setenv("ANON_KEYRING", "anon_tests")
    monkeypatch.setattr(keyring, "get_password", backend.get_password)
    monkeypatch.setattr(keyring, "set_password", backend.set_password)
    monkeypatch.setattr(keyring, "delete_password", backend.delete_password)
    return file


def codes(technique: str) -> pl.Series:
    return CODED[technique].fit("mrn", pl.String())(VALUES)


def events(action: str) -> list[dict[str, object]]:
    with Ledger.open() as ledger:
        assert ledger.verify().ok
        return [event.details for event in ledger.events(actions=[action])]


@pytest.mark.parametrize("technique", CODED)
def test_a_rotated_key_undoes_what_it_made_and_makes_no_more(place: str, technique: str) -> None:
    """Earlier releases stay reversible by the older version; new ones do not join with them."""
    create_key("patients")
    old = load_key("patients").check
    before = codes(technique)
    now = rotate("patients")
    assert (now.version, now.state) == (2, "current")
    new = load_key("patients").check
    after = codes(technique)
    assert new != old
    assert not {*before} & {*after}
    for check, made in ((old, before), (new, after)):
        key = load_version("patients", check)
        assert CODED[technique].undo("mrn", key)(made).to_list() == VALUES.to_list()
    assert load_key("patients", 1).check == old
    assert rotate("patients").version == 3
    assert [each.state for each in key_versions() if each.key == "patients"] == ["older", "older", "current"]
    assert events("key.rotated")[0] == {"key": "patients", "version": 2, "check": new, "before": old}


def test_after_forgetting_nothing_is_made_again_or_undone(place: str) -> None:
    """That is what crypto-shredding means: pseudonyms, tokens and ciphertexts alike, with a mark and an event."""
    create_key("patients")
    check = load_key("patients").check
    pseudonym = Pseudonymize(technique="pseudonymize", key="patients")
    pseudonym.fit("mrn", pl.String())(VALUES)
    made = {name: codes(name) for name in CODED}
    (done,) = forget("patients", "request of a patient")
    assert (done.version, done.checks, done.vault_rows, done.left_in) == (1, (check,), 2, ())
    (mark,) = forgotten("patients")
    gone = f"key 'patients' was forgotten at {mark.at}"
    for use in (
        lambda: pseudonym.fit("mrn", pl.String()),
        *(lambda name=name: CODED[name].fit("mrn", pl.String()) for name in CODED),
        *(lambda name=name: CODED[name].undo("mrn")(made[name]) for name in CODED),
    ):
        with pytest.raises(KeyUnavailableError) as told:
            use()
        assert str(told.value) == (
            f"{gone}: its pseudonyms can neither be made again nor undone; name another key in the policy"
        )
    with pytest.raises(KeyUnavailableError) as told:
        load_version("patients", check)
    assert str(told.value) == (
        f"key 'patients' with check value {check} was forgotten at {mark.at}; what was made with it cannot be undone"
    )
    with pytest.raises(
        KeyUnavailableError,
        match=rf"^{re.escape(gone)}; an old policy that names it must not find another key",
    ):
        create_key("patients")
    assert events("key.forgotten") == [
        {"key": "patients", "version": 1, "checks": [check], "vault_rows": 2, "left_in": [], "reason": "request of a patient"}
    ]  # fmt: skip
    other = Key("patients", bytes(range(50, 82)))
    with Vault.open() as vault:
        assert vault.values(other, made["tokenize"].to_list()) == {}
    for name in ("tokenize", "encrypt"):
        with pytest.raises(IntegrityError):
            CODED[name].undo("mrn", other)(made[name])
    assert CODED["encrypt_format"].undo("mrn", other)(made["encrypt_format"]).to_list() != VALUES.to_list()
    assert list_keys() == {"instance": "ANON_KEY_INSTANCE"}


def test_no_byte_of_a_forgotten_secret_stays_in_the_home(anon_home: Path) -> None:
    """Not in its file, an older version, a draft or the vault."""
    first = Path(create_key("patients")).read_text().strip()
    rotate("patients")
    second = (anon_home / "keys" / "patients.key").read_text().strip()
    codes("tokenize")
    forget("patients", "test")
    left = b"".join(file.read_bytes() for file in anon_home.rglob("*") if file.is_file())
    for text in (first, second):
        for spelling in (text.encode(), base64.b64decode(text), base64.b64decode(text).hex().encode()):
            assert spelling not in left
    assert {file.suffix for file in (anon_home / "keys").iterdir()} == {"", ".forgotten"}


def test_a_secret_is_overwritten_before_it_is_removed(anon_home: Path) -> None:
    """A second name for the same bytes stands for what lies on the disk."""
    path = Path(create_key("patients"))
    before = path.read_bytes()
    (anon_home / "disk").hardlink_to(path)
    forget("patients", "test")
    assert not path.exists()
    assert len((anon_home / "disk").read_bytes()) == len(before)
    assert (anon_home / "disk").read_bytes() != before


def test_one_version_is_forgotten_and_the_others_stay(place: str) -> None:
    """Codes of an earlier year end; those of this year go on. Numbers are not used twice."""
    create_key("patients")
    made = codes("tokenize")
    rotate("patients")
    again = codes("tokenize")
    (done,) = forget("patients", "retention", 1)
    assert (done.version, done.vault_rows) == (1, 2)
    assert codes("tokenize").to_list() == again.to_list()
    with pytest.raises(
        KeyUnavailableError, match=r"^key 'patients' was forgotten at \S+: its pseudonyms can neither"
    ):
        load_key("patients", 1)
    with pytest.raises(KeyUnavailableError, match=r"^key 'patients' was forgotten at "):
        forget("patients", "again", 1)
    with pytest.raises(KeyUnavailableError, match=r"^key 'patients' has no version 7; see: anon keys list$"):
        forget("patients", "never was", 7)
    with pytest.raises(IntegrityError, match="2 of 2 codes are no tokens"):
        CODED["tokenize"].undo("mrn")(made)
    assert rotate("patients").version == 3
    assert [(each.version, each.state) for each in key_versions() if each.key == "patients"] == [
        (1, "forgotten"), (2, "older"), (3, "current"),
    ]  # fmt: skip


def test_a_key_of_the_environment_is_rotated_by_its_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says which variables; the older one is numbered beside the name."""
    monkeypatch.setenv("ANON_KEY_PATIENTS_2024", SECRET.hex())
    with pytest.raises(KeyUnavailableError) as told:
        rotate("patients-2024")
    assert str(told.value) == (
        "key 'patients-2024' comes from ANON_KEY_PATIENTS_2024, which only its owner can change: put the secret of now into"
        " ANON_KEY1_PATIENTS_2024 and a new one into ANON_KEY_PATIENTS_2024"
    )
    old = load_key("patients-2024").check
    monkeypatch.setenv("ANON_KEY1_PATIENTS_2024", SECRET.hex())
    monkeypatch.setenv("ANON_KEY_PATIENTS_2024", os.urandom(32).hex())
    assert load_version("patients-2024", old).check == old
    assert [(each.version, each.state, each.place) for each in key_versions() if each.key != "instance"] == [
        (1, "older", "ANON_KEY1_PATIENTS_2024"), (2, "current", "ANON_KEY_PATIENTS_2024"),
    ]  # fmt: skip


def test_a_forgotten_key_is_refused_wherever_it_turns_up_again(
    anon_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a variable that could not be unset, or from a backup. Another secret under its id is another key."""
    monkeypatch.setenv("ANON_KEY_PATIENTS", SECRET.hex())
    (done,) = forget("patients", "test")
    assert done.left_in == ("ANON_KEY_PATIENTS",)
    (mark,) = forgotten("patients")
    refusal = f"was forgotten at {mark.at} and is not used again; remove it there"
    with pytest.raises(KeyUnavailableError) as told:
        load_key("patients")
    assert str(told.value) == f"key 'patients' in ANON_KEY_PATIENTS {refusal}"
    with pytest.raises(KeyUnavailableError, match="is not used again"):
        forget("patients", "once more")
    assert [each.state for each in key_versions() if each.key == "patients"] == ["forgotten"]
    monkeypatch.delenv("ANON_KEY_PATIENTS")
    path = Slot("patients").path
    path.write_text(SECRET.hex())
    path.chmod(0o600)
    with pytest.raises(KeyUnavailableError) as told:
        load_key("patients")
    assert str(told.value) == f"key 'patients' in {path} {refusal}"
    forget("patients", "the backup too")
    assert not path.exists()
    monkeypatch.setenv("ANON_KEY_PATIENTS", os.urandom(32).hex())
    assert load_key("patients").check not in mark.checks


def test_every_place_that_has_the_key_loses_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that was never asked, since another one wins, and holds another secret."""
    path = Path(create_key("patients"))
    in_file = load_key("patients").check
    file = use_keyring(FileKeyring(), tmp_path, monkeypatch)
    create_key("patients")
    in_keyring = load_key("patients").check
    monkeypatch.setenv("ANON_KEY_PATIENTS", SECRET.hex())
    (done,) = forget("patients", "test")
    assert done.checks == (Key("patients", SECRET).check, in_keyring, in_file)
    assert done.left_in == ("ANON_KEY_PATIENTS",)
    assert not path.exists()
    assert json.loads(file.read_text()) == {"anon_tests/.ids": ""}


@pytest.mark.parametrize("step", ["vault", "shred", "overwrite", "event"])
def test_a_killed_forgetting_is_finished_by_the_next(
    anon_home: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """After the mark no run uses the key, whatever is left; the event comes once, at the end."""
    create_key("patients")
    codes("tokenize")

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        where, name = {
            "vault": (Vault, "forget"),
            "shred": (custody, "shred"),
            "overwrite": (key_places, "_overwrite"),
            "event": (Ledger, "append"),
        }[step]
        patch.setattr(where, name, die)
        with pytest.raises(KeyboardInterrupt):
            forget("patients", "test")
    with pytest.raises(KeyUnavailableError, match="was forgotten at"):
        load_key("patients")
    assert events("key.forgotten") == []
    (done,) = forget("patients", "test")
    assert done.version == 1
    assert len(events("key.forgotten")) == 1
    assert [file.suffix for file in (anon_home / "keys").glob("patients*")] == [".forgotten"]
    with Vault.open() as vault, pytest.raises(KeyUnavailableError, match="its tokens are gone"):
        vault.require_key(Key("patients", SECRET) if not done.checks else _again(done.checks[0]))


def _again(check: str) -> Key:
    """A key with this check value, as the vault sees it."""

    class Again(Key):
        __slots__ = ()

        @property
        def check(self) -> str:
            return check

    return Again("patients", SECRET)


def test_a_killed_rotation_is_finished_by_the_next(anon_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the two steps the old secret has two names; the next call goes on with the same number."""
    create_key("patients")
    old = load_key("patients").check

    def die(_self: Path, _target: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", die)
        with pytest.raises(KeyboardInterrupt):
            rotate("patients")
    assert load_key("patients").check == load_key("patients", 1).check == old
    assert rotate("patients").version == 2
    assert load_key("patients", 1).check == old != load_key("patients").check
    assert not (anon_home / "keys" / "patients.new").exists()


def test_processes_that_rotate_at_once_lose_no_version(anon_home: Path) -> None:
    """Four of them, five times each: twenty-one secrets, all different."""
    create_key("patients")
    program = "from anon_platform.custody import rotate\nfor _ in range(5): rotate('patients')"
    running = [subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE) for _ in range(4)]
    assert [process.communicate(timeout=60)[1] for process in running] == [b""] * 4
    versions = [each.version for each in key_versions() if each.key == "patients"]
    assert versions == list(range(1, 22))
    assert len({load_key("patients", number if number < 21 else None).check for number in versions}) == 21
    assert len(events("key.rotated")) == 20


@pytest.mark.parametrize("change", [rotate, lambda key: forget(key, "test")])
def test_the_instance_key_is_neither_rotated_nor_forgotten(change: Callable[[str], object]) -> None:
    """The ledger could not be verified any more."""
    with pytest.raises(KeyUnavailableError) as told:
        change("instance")
    assert str(told.value) == (
        "key 'instance' seals the audit ledger and names the releases: without it neither could be checked again, so it is"
        " neither rotated nor forgotten"
    )


def test_a_key_that_is_not_there_is_not_forgotten() -> None:
    """A typing error must not look like success; nor does a reason that is none."""
    with pytest.raises(
        KeyUnavailableError, match=r"^no key 'patiens': set ANON_KEY_PATIENS or run: anon keys create"
    ):
        forget("patiens", "test")
    with pytest.raises(ValueError, match="reason has to be a text of at most 200 characters on one line"):
        forget("patients", "a\nb")
    assert events("key.forgotten") == []


# --- the keyring


def test_the_library_finds_its_keyring_and_the_order_of_places_holds(
    tmp_path: Path, anon_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a process of its own, as the library is configured: environment, then keyring, then file."""
    environment = {
        **os.environ,
        "ANON_KEYRING": "anon_tests",
        "TEST_KEYRING": str(tmp_path / "ring.json"),
        "PYTHON_KEYRING_BACKEND": "anon_platform_tests.file_keyring.FileKeyring",
    }
    Path(create_key("patients"))
    in_file = load_key("patients").check

    def said(program: str, **more: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", "from anon_platform.keys import *\n" + program],
            env=environment | more, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout.strip()

    check = "print(load_key('patients').check)"
    assert said(check) == in_file
    assert said("print(create_key('patients'))") == "the keyring (anon_tests, patients)"
    in_keyring = said(check)
    entries = json.loads((tmp_path / "ring.json").read_text())
    assert set(entries) == {"anon_tests/patients", "anon_tests/.ids"}
    assert in_keyring == Key("x", base64.b64decode(entries["anon_tests/patients"])).check != in_file
    assert said("print(list_keys()['patients'])") == "the keyring (anon_tests, patients)"
    assert said(check, ANON_KEY_PATIENTS=SECRET.hex()) == Key("x", SECRET).check
    assert load_key("patients").check == in_file  # without ANON_KEYRING nothing is asked


def test_a_keyring_that_fails_or_keeps_nothing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that is lost at once would take every pseudonym with it. The backend's own text is not repeated."""
    use_keyring(KeepsNothing(), tmp_path, monkeypatch)
    with pytest.raises(StorageError) as lost:
        create_key("patients")
    assert str(lost.value) == (
        "the system keyring did not keep what was written; choose another one, or unset ANON_KEYRING"
    )

    def locked(*_: object) -> None:
        raise keyring.errors.KeyringLocked(SECRET.hex())

    monkeypatch.setattr(keyring, "get_password", locked)
    with pytest.raises(KeyUnavailableError) as told:
        load_key("patients")
    assert str(told.value) == (
        "the system keyring cannot be used (KeyringLocked); unlock it or choose another one (keyring --list-backends), or"
        " unset ANON_KEYRING"
    )
    assert told.value.__suppress_context__


def test_without_the_library_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setenv("ANON_KEYRING", "anon_tests")
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(KeyUnavailableError) as told:
        load_key("patients")
    assert str(told.value) == (
        "ANON_KEYRING is set, but the library keyring is not installed; run: pip install 'anon-platform[keyring]', or unset"
        " ANON_KEYRING"
    )


def test_a_key_in_the_keyring_is_never_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a file is not."""
    use_keyring(FileKeyring(), tmp_path, monkeypatch)
    create_key("patients")
    check = load_key("patients").check
    with pytest.raises(StorageError) as told:
        create_key("patients")
    assert str(told.value) == (
        "key 'patients' exists in the keyring (anon_tests, patients) and was left as it is; without it, its pseudonyms"
        " cannot be made again"
    )
    assert load_key("patients").check == check


@pytest.mark.parametrize("text", ["", "x", "{}", '{"at": 1}', "[]"])
def test_a_mark_that_cannot_be_read_stops_every_use(anon_home: Path, text: str) -> None:
    """Otherwise a forgotten key would come back by damaging its mark."""
    create_key("patients")
    mark = anon_home / "keys" / "patients.1.forgotten"
    mark.write_text(text)
    with pytest.raises(KeyUnavailableError) as told:
        load_key("patients")
    assert str(told.value) == (
        f"key 'patients': the mark {mark} of a forgotten version cannot be read; put a copy back"
    )
