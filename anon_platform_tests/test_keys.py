"""Secret keys: what they compute, where they come from, and that nothing shows them."""

import base64
import copy
import hmac
import os
import pickle
import re
import stat
import traceback
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from anon_platform.errors import KeyUnavailableError, StorageError
from anon_platform.keys import SALT, Key, create_key, list_keys, load_key

SECRET = bytes(range(100, 132))
SPELLINGS = (SECRET.hex(), SECRET.hex().upper(), base64.b64encode(SECRET).decode())
strong_secrets = st.binary(min_size=32, max_size=80).filter(lambda secret: len(set(secret)) >= 8)


def write_key(home: Path, key_id: str, text: str, mode: int = 0o600) -> Path:
    path = home / "keys" / f"{key_id}.key"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


@given(strong_secrets, st.binary(), st.text(st.characters(exclude_categories=["Cs"])))
def test_mac_and_derive_are_the_published_functions(secret: bytes, message: bytes, purpose: str) -> None:
    """RFC 2104 by the standard library and RFC 5869 by another one: old pseudonyms can be made anywhere."""
    key = Key("a", secret)
    derived = HKDF(SHA256(), 32, salt=SALT, info=purpose.encode()).derive(secret)
    assert key.mac(message) == hmac.digest(secret, message, "sha256")
    assert key.derive(purpose).mac(message) == hmac.digest(derived, message, "sha256")


def test_a_known_key_gives_known_values() -> None:
    """A change of any of these would change every pseudonym that was ever released."""
    key = Key("a", SECRET)
    assert key.token("4711", 16) == "4nseummomwkepjtu"
    assert key.derive("visits").token("4711", 51) == "jky7eu2aeoxxrk73rvc2fwb75b7fwwqrziysmzmleanzc4ztxk3"


@given(st.text(), st.integers(8, 51))
def test_a_token_is_text_of_the_wanted_length(text: str, length: int) -> None:
    """Also of texts that are no Unicode: an encoding error would show the cell."""
    token = Key("a", SECRET).token(text, length)
    assert re.fullmatch(rf"[a-z2-7]{{{length}}}", token)
    assert token == Key("b", SECRET).token(text, length)


def test_tokens_do_not_meet_across_purposes_texts_or_lengths() -> None:
    """Two releases could be joined by them."""
    key = Key("a", SECRET)
    tokens = [
        each.token(text, 40)[:8] for each in (key, key.derive("x"), key.derive("y")) for text in ("1", "2")
    ]
    tokens += [key.token("1", 8), key.derive("x").derive("y").token("1", 8), key.derive("x/y").token("1", 8)]
    assert len(set(tokens)) == len(tokens)


@pytest.mark.parametrize("length", [0, 7, 52, -1])
def test_a_token_length_that_collides_or_repeats_is_refused(length: int) -> None:
    """Below 8 characters two people of a small hospital share a pseudonym; above 51 no digest is left."""
    with pytest.raises(ValueError, match=rf"^a token has 8 to 51 characters, not {length}$"):
        Key("a", SECRET).token("4711", length)


def test_nothing_shows_the_secret() -> None:
    """Logs, debuggers and stack traces print the repr of what they meet."""
    key = Key("a", SECRET)
    shown = [str(key), repr(key), f"{key!a}", repr([key]), repr({"key": key}), str(dir(key))]
    shown += [repr(getattr(key, name)) for name in Key.__slots__]
    assert str(key) == "<Key a>"
    assert not hasattr(key, "__dict__")
    for text in shown:
        assert not any(spelling in text for spelling in (*SPELLINGS, repr(SECRET)))


@pytest.mark.parametrize("leak", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_key_cannot_be_pickled_or_copied(leak) -> None:  # type: ignore[no-untyped-def]
    """A pickle of it would lie in Dagster's storage or on a queue."""
    with pytest.raises(TypeError) as refusal:
        leak(Key("a", SECRET))
    assert str(refusal.value) == "key 'a' cannot be pickled or copied; load it by its id where it is needed"


@pytest.mark.parametrize("text", [*SPELLINGS, f" {SPELLINGS[2]}\n", SPELLINGS[2].rstrip("=")])
def test_the_environment_gives_a_key_in_hex_or_base64(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Secret stores hand out either."""
    monkeypatch.setenv("ANON_KEY_PATIENTS_2024", text)
    key = load_key("patients-2024")
    assert key.id == "patients-2024"
    assert key.mac(b"x") == hmac.digest(SECRET, b"x", "sha256")


def test_url_safe_base64_is_read_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """`secrets.token_urlsafe` writes it, without padding."""
    secret = bytes([0xFB, 0xEF, 0xBE, 0xFF, 0xFF, 0xFE, *range(27)])
    text = base64.urlsafe_b64encode(secret).decode().rstrip("=")
    assert {"-", "_"} <= set(text)
    monkeypatch.setenv("ANON_KEY_A", text)
    assert load_key("a").mac(b"x") == hmac.digest(secret, b"x", "sha256")


def test_a_created_key_loads_and_is_private(anon_home: Path) -> None:
    """The file is never readable to others, not even for a moment."""
    path = Path(create_key("patients"))
    assert path == anon_home / "keys" / "patients.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    secret = base64.b64decode(path.read_text())
    assert len(secret) == 32
    assert load_key("patients").mac(b"x") == hmac.digest(secret, b"x", "sha256")


def test_two_created_keys_differ() -> None:
    """They are random."""
    first, second = (Path(create_key(name)).read_text() for name in "ab")
    assert first != second


def test_a_key_is_never_overwritten() -> None:
    """With it, the way back to all its pseudonyms would be lost."""
    path = Path(create_key("a"))
    before = path.read_text()
    with pytest.raises(StorageError) as refusal:
        create_key("a")
    assert path.read_text() == before
    assert str(refusal.value) == (
        f"key 'a' exists in {path} and was left as it is; without it, its pseudonyms cannot be made again"
    )


def test_a_key_that_cannot_be_written_is_named(anon_home: Path) -> None:
    """The folder may be read-only or a file."""
    (anon_home / "keys").touch()
    with pytest.raises(StorageError, match=rf"^cannot write the key file {anon_home}/keys/a.key: "):
        create_key("a")


def test_the_environment_wins_over_the_file(anon_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment's secret store overrides what a folder holds; an empty variable says nothing."""
    write_key(anon_home, "a", "ff" + SECRET.hex()[2:])
    monkeypatch.setenv("ANON_KEY_A", SECRET.hex())
    assert load_key("a").mac(b"x") == hmac.digest(SECRET, b"x", "sha256")
    monkeypatch.setenv("ANON_KEY_A", "")
    assert load_key("a").mac(b"x") != hmac.digest(SECRET, b"x", "sha256")


def test_a_missing_key_says_how_to_get_one() -> None:
    """Word for word."""
    with pytest.raises(KeyUnavailableError) as refusal:
        load_key("patients-2024")
    assert str(refusal.value) == (
        "no key 'patients-2024': set ANON_KEY_PATIENTS_2024 or run: anon keys create patients-2024"
    )


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o700, 0o4600])
def test_a_file_that_others_may_use_is_refused(anon_home: Path, mode: int) -> None:
    """The message is the command that mends it."""
    path = write_key(anon_home, "a", SECRET.hex(), mode)
    with pytest.raises(KeyUnavailableError) as refusal:
        load_key("a")
    assert str(refusal.value) == (
        f"key 'a': {path} has mode {mode:04o}, others may read it; run: chmod 600 {path}"
    )


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_private_file_is_read(anon_home: Path, mode: int) -> None:
    """Read-only is stricter still."""
    write_key(anon_home, "a", SECRET.hex(), mode)
    assert load_key("a").id == "a"


def test_a_file_of_another_user_is_refused(anon_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever owns it may have chosen it, and knows it."""
    path = write_key(anon_home, "a", SECRET.hex())
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(KeyUnavailableError) as refusal:
        load_key("a")
    assert str(refusal.value) == (
        f"key 'a': {path} belongs to another user; run: chown {path.stat().st_uid + 1} {path}"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (SECRET.hex()[:62], "too short, 31 bytes"),
        (base64.b64encode(SECRET[:16]).decode(), "too short, 16 bytes"),
        ("00" * 32, "not random, the same bytes repeat"),
        ("deadbeef" * 16, "not random, the same bytes repeat"),
        ("correct horse battery staple", "neither hex nor base64"),
        ("A" * 45, "neither hex nor base64"),
        ("ключ" * 20, "neither hex nor base64"),
    ],
)
@pytest.mark.parametrize("place", ["environment", "file"])
def test_a_weak_key_is_refused_and_not_shown(
    anon_home: Path, monkeypatch: pytest.MonkeyPatch, text: str, reason: str, place: str
) -> None:
    """A mistyped key is nearly the key: neither message nor trace may repeat it."""
    if place == "environment":
        monkeypatch.setenv("ANON_KEY_A", text)
        shown = "ANON_KEY_A"
    else:
        shown = str(write_key(anon_home, "a", text))
    with pytest.raises(KeyUnavailableError) as refusal:
        load_key("a")
    assert str(refusal.value) == f"key 'a' in {shown} is {reason}; it has to be 32 random bytes or more"
    trace = traceback.TracebackException.from_exception(refusal.value, capture_locals=True)
    frames = [
        line
        for frame in trace.stack
        if frame.name in {"load_key", "_read_text"}
        for line in frame.locals or {}
    ]
    assert text not in "".join(trace.format_exception_only())
    assert not {"text", "secret"} & set(frames)


def test_a_weak_secret_makes_no_key() -> None:
    """The check is in the key, so no way round it is left."""
    with pytest.raises(KeyUnavailableError) as refusal:
        Key("a", b"\x07" * 64)
    assert str(refusal.value) == (
        "key 'a' is not random, the same bytes repeat; make a new one with: anon keys create"
    )


@pytest.mark.parametrize("key_id", ["", "A", "1a", "../a", "a/b", "a b", "a" * 64, "a\n", SPELLINGS[2]])
@pytest.mark.parametrize("function", [load_key, create_key])
def test_what_is_no_key_id_is_refused_and_not_repeated(function, key_id: str) -> None:  # type: ignore[no-untyped-def]
    """A policy may hold the secret where its id belongs, and an id must not leave the folder."""
    with pytest.raises(KeyUnavailableError) as refusal:
        function(key_id)
    assert str(refusal.value) == (
        "not a key id: it is a lowercase letter and then up to 62 of a-z, 0-9, _ and -, as in patients-2024"
    )


def test_the_list_says_where_keys_are_and_not_what(anon_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator asks which keys there are; the answer may be shown to anyone."""
    monkeypatch.setenv("ANON_KEY_STORE", SECRET.hex())
    monkeypatch.setenv("ANON_KEY_IN_BOTH", SECRET.hex())
    monkeypatch.setenv("ANON_KEY_EMPTY", "")
    paths = [write_key(anon_home, name, SECRET.hex()) for name in ("in-file", "in-both", "No-Id")]
    assert list_keys() == {
        "in-both": "ANON_KEY_IN_BOTH",
        "in-file": str(paths[0]),
        "instance": "ANON_KEY_INSTANCE",
        "store": "ANON_KEY_STORE",
    }
