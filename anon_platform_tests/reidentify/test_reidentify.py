"""Authorised re-identification from the request to the file: who may, what is refused, and that every try is on record."""

import csv
import json
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from anon_platform.custody import forget, rotate
from anon_platform.errors import (
    AnonError,
    IntegrityError,
    KeyUnavailableError,
    NotApprovedError,
    PolicyError,
    SourceError,
    StorageError,
)
from anon_platform.keys import create_key
from anon_platform.ledger import Ledger
from anon_platform.pipeline import run as release_run
from anon_platform.reidentify import (
    add_approver,
    approve,
    approvers,
    ask,
    asking,
    remove_approver,
    requests,
    run,
)
from anon_platform_tests import clinic
from anon_platform_tests.clinic import make_clinic, visits, write_csv

PASSPHRASE = b"correct horse"
COLUMNS = {
    "visit": {"technique": "tokenize", "key": "codes", "prefix": "V-"},
    "badge": {"technique": "pseudonymize", "key": "codes"},
    "name": {"technique": "encrypt", "key": "codes"},
    "mrn": {"technique": "encrypt_format", "key": "codes"},
}


def policy(folder: Path) -> Path:
    """A clinic whose direct identifiers leave as codes; `mrn` and `badge` are the number of the visit."""
    file = make_clinic(folder, model=None)
    said = yaml.safe_load(file.read_text())
    codes = {name: {"role": "direct_identifier", "treat": treat} for name, treat in COLUMNS.items()}
    said["columns"] |= codes
    file.write_text(yaml.safe_dump(said, sort_keys=False))
    rows = [(*row, f"{number:06d}", f"{number:06d}") for number, row in enumerate(visits(), 1)]
    write_csv(folder / "source" / "visits.csv", rows, (*clinic.COLUMNS, "mrn", "badge"))
    return file


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a release, copied for every test."""
    folder = tmp_path_factory.mktemp("reidentify")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANON_HOME", str(folder / "home"))
        patch.setenv("ANON_KEY_INSTANCE", bytes(range(60, 92)).hex())
        create_key("codes")
        outcome = release_run(policy(folder))
        assert outcome.released
    return folder


@pytest.fixture
def ledger(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """The ledger of that home; alice acts, and bob and carol were made approvers by the administrator."""
    # the catalog names absolute paths: the releases stay where they were made, which nobody writes to
    shutil.copytree(made / "home", tmp_path / "home", dirs_exist_ok=True)
    monkeypatch.setenv("ANON_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ANON_KEY_INSTANCE", bytes(range(60, 92)).hex())
    with Ledger.open() as opened:
        monkeypatch.setenv("ANON_ACTOR", "admin")
        add_approver(opened, "bob", tmp_path / "bob.pem", None)
        add_approver(opened, "carol", tmp_path / "carol.pem", PASSPHRASE)
        monkeypatch.setenv("ANON_ACTOR", "alice")
        yield opened


@pytest.fixture
def acting(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Who types the next commands."""
    return lambda name: monkeypatch.setenv("ANON_ACTOR", name)


def codes_of(ledger: Ledger, column: str, number: int = 3) -> list[str]:
    (entry,) = ledger.releases("clinic")
    with next((Path(entry.path) / "data").glob("*.csv")).open() as file:
        return [row[column] for row in csv.DictReader(file)][:number]


def failures(ledger: Ledger) -> list[dict[str, Any]]:
    assert ledger.verify().ok
    return [event.details for event in ledger.events(actions=["reidentify.failed"])]


def asked(ledger: Ledger, column: str = "visit", codes: list[str] | None = None) -> str:
    return ask(ledger, "clinic", column, codes or codes_of(ledger, column), "lab result to be told").request


def approved(ledger: Ledger, request: str, folder: Path, acting: Callable[[str], None]) -> None:
    acting("bob")
    approve(ledger, request, "bob", folder / "bob.pem", 24)
    acting("alice")


@pytest.mark.parametrize(("column", "original"), [("visit", 0), ("name", 2), ("mrn", 11)])
def test_codes_become_values_again_for_who_asked_and_was_approved(
    ledger: Ledger, tmp_path: Path, acting: Callable[[str], None], column: str, original: int
) -> None:
    """In the order of the codes, in a private file, with three events and no value or code in any of them."""
    codes = codes_of(ledger, column)
    request = asked(ledger, column, codes)
    approved(ledger, request, tmp_path, acting)
    done = run(ledger, request, tmp_path / "out.csv")
    assert stat.S_IMODE((tmp_path / "out.csv").stat().st_mode) == 0o600
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["code"] for row in rows] == codes
    values = [row["value"] for row in rows]
    known = [(*visit, f"{number:06d}")[original] for number, visit in enumerate(visits(), 1)]
    assert set(values) <= set(known)
    assert len(set(values)) == len(set(codes))
    # the same row of the release: visit, name and number belong together
    events = [event for event in ledger.events() if event.action.startswith("reidentify.")]
    assert [(event.action, event.actor) for event in events] == [
        ("reidentify.requested", "alice"), ("reidentify.approved", "bob"), ("reidentify.done", "alice"),
    ]  # fmt: skip
    assert {event.release_id for event in events} == {done.request.release}
    assert events[2].details == {"request": request, "column": column, "codes": len(codes), "approver": "bob"}
    written = json.dumps([event.row() for event in ledger.events()])
    assert not [text for text in (*codes, *values) if text in written]
    assert ledger.verify().ok
    assert not (tmp_path / "home" / "reidentify" / request).exists()


def test_the_values_are_those_of_the_rows(
    ledger: Ledger, tmp_path: Path, acting: Callable[[str], None]
) -> None:
    """Three columns of the same rows lead to the same visits."""
    found = []
    for column in ("visit", "name", "mrn"):
        codes = list(dict.fromkeys(codes_of(ledger, column, 60)))
        request = asked(ledger, column, codes)
        approved(ledger, request, tmp_path, acting)
        run(ledger, request, tmp_path / f"{column}.csv")
        with (tmp_path / f"{column}.csv").open() as file:
            values = {row["code"]: row["value"] for row in csv.DictReader(file)}
        found.append([values[code] for code in codes_of(ledger, column, 60)])
    known = {(visit[0], visit[2], f"{number:06d}") for number, visit in enumerate(visits(), 1)}
    assert set(zip(*found, strict=True)) <= known


def refused(kind: type[AnonError], what: Callable[[], object]) -> str:
    with pytest.raises(kind) as told:
        what()
    return str(told.value)


def test_who_asks_does_not_approve(ledger: Ledger, tmp_path: Path, acting: Callable[[str], None]) -> None:
    """Not as themselves, not with the file of somebody else, not with an approver of their own making."""
    acting("admin")
    add_approver(ledger, "ALICE", tmp_path / "alice.pem", None)
    acting("alice")
    add_approver(ledger, "mallory", tmp_path / "mallory.pem", None)
    request = asked(ledger)
    another = "alice asked for it, so another person has to approve it, as themselves (ANON_ACTOR tells people apart who share an account)"
    assert (
        refused(NotApprovedError, lambda: approve(ledger, request, "bob", tmp_path / "bob.pem", 1)) == another
    )
    acting("bob")
    assert (
        refused(NotApprovedError, lambda: approve(ledger, request, "ALICE", tmp_path / "alice.pem", 1))
        == another
    )
    assert refused(
        NotApprovedError, lambda: approve(ledger, request, "mallory", tmp_path / "mallory.pem", 1)
    ) == (
        "mallory was made an approver by alice, who asked for it; an approver whom somebody else added has to approve it"
    )
    assert [each.state for each in requests(ledger)] == ["open"]
    assert failures(ledger) == [{"request": request, "step": "approve", "error": "NotApprovedError"}] * 3


def test_only_the_owner_of_the_key_approves(
    ledger: Ledger, tmp_path: Path, acting: Callable[[str], None]
) -> None:
    """Another key, a wrong passphrase, a file that others may read, and none at all."""
    request = asked(ledger)
    acting("bob")
    bob, carol = tmp_path / "bob.pem", tmp_path / "carol.pem"
    assert refused(NotApprovedError, lambda: approve(ledger, request, "carol", bob, 1)) == (
        f"{bob} is not the private key of approver carol; nothing was approved"
    )
    unread = f"{carol} is no private key of an approver, or its passphrase is another one; give it when asked or in ANON_PASSPHRASE"
    for passphrase in (None, b"wrong"):
        assert (
            refused(KeyUnavailableError, lambda p=passphrase: approve(ledger, request, "carol", carol, 1, p))
            == unread
        )
    assert refused(NotApprovedError, lambda: approve(ledger, request, "dave", bob, 1)) == (
        "no approver of this name; known: bob, carol; add one with: anon approvers add NAME"
    )
    bob.chmod(0o644)
    assert refused(KeyUnavailableError, lambda: approve(ledger, request, "bob", bob, 1)) == (
        f"the private key {bob} has mode 0644, others may read it; run: chmod 600 {bob}"
    )
    assert refused(KeyUnavailableError, lambda: approve(ledger, request, "bob", tmp_path / "none", 1)) == (
        f"cannot read the private key {tmp_path}/none: No such file or directory"
    )
    assert approve(ledger, request, "carol", carol, 1, PASSPHRASE).state == "approved"
    assert b"ENCRYPTED" in carol.read_bytes()
    assert PASSPHRASE not in carol.read_bytes()
    assert len(failures(ledger)) == 6


def test_nothing_runs_without_a_sound_approval(
    ledger: Ledger, tmp_path: Path, acting: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not approved, by somebody else, ended, taken away, used before: no file, and an event each."""
    out = tmp_path / "out.csv"
    request = asked(ledger)
    assert refused(NotApprovedError, lambda: run(ledger, request, out)) == (
        f"request {request} is not approved; somebody else has to run: anon reidentify approve {request}"
    )
    approved(ledger, request, tmp_path, acting)
    acting("bob")
    assert refused(NotApprovedError, lambda: run(ledger, request, out)) == (
        "alice asked for it and has to run it; nobody else gets the values"
    )
    acting("alice")

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) + timedelta(hours=24)

    with monkeypatch.context() as patch:
        patch.setattr(asking, "datetime", Later)
        assert [each.state for each in requests(ledger)] == ["expired"]
        (known,) = requests(ledger)
        assert refused(NotApprovedError, lambda: run(ledger, request, out)) == (
            f"the approval of request {request} ended at {known.expires}; it has to be approved again"
        )
    remove_approver(ledger, "bob")
    assert refused(NotApprovedError, lambda: run(ledger, request, out)).startswith("no approver of this name")
    acting("admin")
    add_approver(ledger, "bob", tmp_path / "bob2.pem", None)
    acting("alice")
    assert refused(NotApprovedError, lambda: run(ledger, request, out)) == (
        f"the approval of request {request} was not signed with the key that bob has now; it has to be approved again"
    )
    assert (
        refused(NotApprovedError, lambda: run(ledger, "f" * 12, out))
        == "no request with this id; see: anon reidentify list"
    )
    assert refused(NotApprovedError, lambda: run(ledger, "a value?", out)).startswith(
        "no request with this id"
    )
    assert not out.exists()
    tried = failures(ledger)
    assert len(tried) == 7
    assert [each["request"] for each in tried] == [request] * 5 + ["f" * 12, "?"]
    acting("bob")
    approve(ledger, request, "bob", tmp_path / "bob2.pem", 1)
    acting("alice")
    run(ledger, request, out)
    (known,) = requests(ledger)
    assert known.state == "done"
    assert refused(NotApprovedError, lambda: run(ledger, request, tmp_path / "again.csv")) == (
        f"request {request} was done at {known.done_at}; an approval is good for one use, so ask again"
    )


def test_of_eight_runs_at_once_one_is_done(
    ledger: Ledger, tmp_path: Path, acting: Callable[[str], None]
) -> None:
    """An approval is good for one file."""
    request = asked(ledger)
    approved(ledger, request, tmp_path, acting)

    def attempt(number: int) -> bool:
        try:
            run(ledger, request, tmp_path / f"{number}.csv")
        except AnonError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1
    assert len(list(tmp_path.glob("?.csv"))) == 1
    assert len(ledger.events(actions=["reidentify.done"])) == 1
    assert len(failures(ledger)) == 7


def test_columns_without_a_way_back_are_told(ledger: Ledger) -> None:
    """When it is asked, and with what to use instead."""
    (entry,) = ledger.releases("clinic")
    for column, said in {
        "badge": (
            "column badge is pseudonymized: a keyed hash has no way back, not even with its key; where values must be found"
            " again write technique: tokenize or encrypt in the policy, and make a new release"
        ),
        "age": "column age is treated by generalize, which has nothing to undo; tokenize, encrypt and encrypt_format have",
        "stay": "column stay is released as it is, which has nothing to undo; tokenize, encrypt and encrypt_format have",
        "none": f"release {entry.release_id} has no column none; it has {', '.join(json.loads((Path(entry.path) / 'manifest.json').read_text())['columns'])}",
    }.items():
        assert refused(PolicyError, lambda c=column: ask(ledger, entry.release_id, c, ["x"], "why")) == said
    assert requests(ledger) == []


def test_requests_that_say_too_little_are_refused(ledger: Ledger) -> None:
    """No codes, one twice, no reason, no release."""
    for codes in ([], ["a", "a"]):
        assert refused(SourceError, lambda c=codes: ask(ledger, "clinic", "visit", c, "why")) == (
            "the file of codes has none, or one twice; write one code a line, each once"
        )
    assert refused(NotApprovedError, lambda: ask(ledger, "clinic", "visit", ["a"], "  ")).startswith(
        "say why: --reason"
    )
    assert refused(SourceError, lambda: ask(ledger, "nowhere", "visit", ["a"], "why")) == (
        "no dataset or release nowhere in the catalog; see: anon releases"
    )
    with pytest.raises(ValueError, match="the reason has to be a text of at most 200 characters on one line"):
        ask(ledger, "clinic", "visit", ["a"], "x" * 201)


def test_codes_that_are_none_give_no_value_of_the_others(
    ledger: Ledger, tmp_path: Path, acting: Callable[[str], None]
) -> None:
    """The request stays approved and unused; the mistake is on record."""
    request = asked(ledger, "visit", [*codes_of(ledger, "visit"), "V-nonsense"])
    approved(ledger, request, tmp_path, acting)
    said = refused(IntegrityError, lambda: run(ledger, request, tmp_path / "out.csv"))
    assert said == "column visit: 1 of 4 codes are no tokens of key codes in the vault"
    assert not (tmp_path / "out.csv").exists()
    assert [each.state for each in requests(ledger)] == ["approved"]
    assert failures(ledger) == [{"request": request, "step": "run", "error": "IntegrityError"}]


def test_codes_that_were_exchanged_after_the_approval_are_noticed(
    ledger: Ledger, tmp_path: Path, acting: Callable[[str], None]
) -> None:
    """What was approved is what is done."""
    request = asked(ledger)
    approved(ledger, request, tmp_path, acting)
    kept = tmp_path / "home" / "reidentify" / request / "codes.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    for text in (json.dumps(codes_of(ledger, "visit", 9)), "{}", "", None):
        if text is None:
            kept.unlink()
        else:
            kept.write_text(text)
        assert refused(IntegrityError, lambda: run(ledger, request, tmp_path / "out.csv")) == (
            f"the codes of request {request} are not there or not those that were asked for; ask again, where you run it"
        )


@pytest.mark.parametrize(
    "change",
    [
        """update anon_events set details = replace(details, '"codes":3', '"codes":9') where action = 'reidentify.requested'""",
        "update anon_events set actor = 'eve' where action = 'reidentify.requested'",
        "update anon_events set actor = 'admin' where action = 'approver.added'",
        "delete from anon_events where action = 'approver.removed'",
    ],
)
def test_a_ledger_that_was_changed_approves_nothing(
    ledger: Ledger, tmp_path: Path, acting: Callable[[str], None], change: str
) -> None:
    """The rights are in it: who writes to the database without the instance key must not gain any."""
    add_approver(ledger, "dave", tmp_path / "dave.pem", None)
    remove_approver(ledger, "dave")
    request = asked(ledger)
    approved(ledger, request, tmp_path, acting)
    with sqlite3.connect(tmp_path / "home" / "ledger.db") as database:
        for (name,) in database.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            database.execute(f"drop trigger {name}")
        assert database.execute(change).rowcount
    database.close()
    assert refused(IntegrityError, lambda: run(ledger, request, tmp_path / "out.csv")) == (
        "the ledger is not what was written, so that nobody can tell who approved what; run: anon audit verify"
    )
    assert not (tmp_path / "out.csv").exists()


def test_a_rotated_key_still_leads_back_and_a_forgotten_one_does_not(
    ledger: Ledger, tmp_path: Path, acting: Callable[[str], None]
) -> None:
    """The manifest says which version made the codes."""
    for column in ("visit", "name", "mrn"):
        request = asked(ledger, column)
        approved(ledger, request, tmp_path, acting)
        if column == "visit":
            rotate("codes")
        run(ledger, request, tmp_path / f"{column}.csv")
    request = asked(ledger)
    approved(ledger, request, tmp_path, acting)
    forget("codes", "end of study", 1)
    said = refused(KeyUnavailableError, lambda: run(ledger, request, tmp_path / "out.csv"))
    assert "was forgotten at" in said
    assert said.endswith("what was made with it cannot be undone")
    assert refused(KeyUnavailableError, lambda: asked(ledger)) == said
    assert failures(ledger)[-1]["error"] == "KeyUnavailableError"


def test_a_file_that_is_there_is_not_overwritten(
    ledger: Ledger, tmp_path: Path, acting: Callable[[str], None]
) -> None:
    """Nor is an approval used up for a typing error."""
    request = asked(ledger)
    approved(ledger, request, tmp_path, acting)
    (tmp_path / "out.csv").write_text("mine")
    for file in (tmp_path / "out.csv", tmp_path / "none" / "out.csv"):
        assert refused(StorageError, lambda f=file: run(ledger, request, f)) == (
            f"cannot write {file}: it exists, or its folder does not; name a new file"
        )
    assert (tmp_path / "out.csv").read_text() == "mine"
    run(ledger, request, tmp_path / "new.csv")


def test_approvers_are_added_once_and_listed(ledger: Ledger, tmp_path: Path) -> None:
    """By whom and when; a name that differs in case alone is the same person; a private key is never overwritten."""
    assert [(each.name, each.added_by, len(each.public_key)) for each in approvers(ledger).values()] == [
        ("bob", "admin", 64), ("carol", "admin", 64),
    ]  # fmt: skip
    assert refused(NotApprovedError, lambda: add_approver(ledger, "Bob", tmp_path / "x", None)) == (
        "approver Bob is there already; to give them a new key: anon approvers remove Bob"
    )
    assert refused(StorageError, lambda: add_approver(ledger, "eve", tmp_path / "bob.pem", None)) == (
        f"cannot write the private key {tmp_path}/bob.pem: File exists"
    )
    assert refused(NotApprovedError, lambda: add_approver(ledger, "a b", tmp_path / "x", None)).startswith(
        "not a name"
    )
    assert stat.S_IMODE((tmp_path / "bob.pem").stat().st_mode) == 0o600
    private = (tmp_path / "bob.pem").read_text().splitlines()[1]
    assert private not in json.dumps([event.row() for event in ledger.events()])
    assert (
        datetime.now(UTC) - datetime.fromisoformat(approvers(ledger)["bob"].added_at)
    ).total_seconds() < 60
