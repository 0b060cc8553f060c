"""`anon keys`, `anon approvers` and `anon reidentify` as they are typed by several people."""

import io
import json
import sys
from pathlib import Path

import pytest
import yaml

from anon_platform_tests.clinic import make_clinic
from anon_platform_tests.typed import Typed


@pytest.fixture
def typed(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> Typed:
    """A command typed by somebody (`who`), who says no to whatever is asked."""

    def by(*arguments: object, who: str = "alice") -> tuple[int, str, str]:
        monkeypatch.setenv("ANON_ACTOR", who)
        monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
        return typed(*arguments)

    return by


def test_a_key_is_rotated_listed_and_forgotten(typed: Typed, anon_home: Path) -> None:
    """Its versions are told, its secrets never; a typing error destroys nothing."""
    typed("keys", "create", "codes")
    first = (anon_home / "keys" / "codes.key").read_text().strip()
    said = [typed("keys", "rotate", "codes")]
    second = (anon_home / "keys" / "codes.key").read_text().strip()
    assert said[0] == (
        0,
        (
            f"key codes is now version 2, in {anon_home}/keys/codes.key; keep a copy."
            " Version 1 is kept for what was made with it.\n"
        ),
        "",
    )
    said.append(typed("keys", "list"))
    assert said[1][1] == (
        f"codes version 1, older  {anon_home}/keys/codes.1.key\ncodes version 2  {anon_home}/keys/codes.key\n"
        "instance  ANON_KEY_INSTANCE\n"
    )
    said.append(typed("keys", "forget", "codes", "--reason", "test"))  # nobody says yes
    assert said[2][0] == 1
    assert typed("keys", "forget", "codes", "--yes")[0] == 2  # without a reason
    assert (anon_home / "keys" / "codes.key").read_text().strip() == second
    said.append(typed("keys", "forget", "codes", "--version", 1, "--reason", "retention", "--yes"))
    assert said[3] == (0, "forgot key codes version 1\n", "")
    said.append(typed("keys", "list", "--json"))
    assert [(each["version"], each["state"]) for each in json.loads(said[4][1])] == [
        (1, "forgotten"), (2, "current"), (1, "current"),
    ]  # fmt: skip
    code, out, err = typed("keys", "rotate", "instance")
    assert (code, out) == (6, "")
    assert err.startswith("error key 'instance' seals the audit ledger")
    actions = [event["action"] for event in json.loads(typed("audit", "log", "--json")[1])]
    assert actions == ["key.rotated", "key.forgotten"]
    shown = "".join(text for _, *texts in said for text in texts)
    assert first not in shown
    assert second not in shown


def test_a_variable_that_holds_a_forgotten_key_is_named(
    typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No program can unset it where it comes from."""
    monkeypatch.setenv("ANON_KEY_CODES", "b7c1f0a93d5e48261f7a0c9d84e35b6290ad13f7c6482e5b9071d3ea5c8f4602")
    assert typed("keys", "forget", "codes", "--reason", "x", "--yes")[1] == (
        "forgot key codes version 1\nANON_KEY_CODES holds it still: remove it from where this variable is set; it is not"
        " used any more\n"
    )


def test_three_people_lead_codes_back(typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The administrator makes bob an approver, alice asks, bob approves, alice gets the values, once."""
    assert (
        typed("approvers", "list")[1] == "no approvers; make one with: anon approvers add NAME --key FILE\n"
    )
    assert typed("reidentify", "list")[1].startswith("no requests; make one with: anon reidentify request")
    typed("keys", "create", "codes")
    policy = make_clinic(tmp_path, patients=120, model=None)
    said = yaml.safe_load(policy.read_text())
    said["columns"]["visit"]["treat"] = {"technique": "tokenize", "key": "codes"}
    policy.write_text(yaml.safe_dump(said, sort_keys=False))
    assert typed("run", policy)[0] == 0
    (release,) = (tmp_path / "anon_home" / "releases" / "clinic").iterdir()
    lines = next((release / "data").glob("*.csv")).read_text().splitlines()
    at = lines[0].split(",").index("visit")
    (tmp_path / "codes.txt").write_text("\n".join(line.split(",")[at] for line in lines[1:4]) + "\n\n")

    pem, out = tmp_path / "bob.pem", tmp_path / "values.csv"
    monkeypatch.setenv("ANON_PASSPHRASE", "correct horse")
    assert typed("approvers", "add", "bob", "--key", pem, who="admin")[0] == 0
    assert b"ENCRYPTED" in pem.read_bytes()
    asked = ["reidentify", "request", "clinic", "--column", "visit", "--codes", tmp_path / "codes.txt"]
    code, said_, _ = typed(*asked, "--reason", "a lab result has to be told")
    assert code == 0
    request = said_.split()[1].rstrip(":")
    approve = ["reidentify", "approve", request, "--as", "bob", "--key", pem, "--hours", 1]
    assert typed(*approve)[0] == 1  # alice has got hold of bob's file
    assert typed("reidentify", "run", request, "-o", out)[0] == 1
    monkeypatch.setenv("ANON_PASSPHRASE", "wrong")
    assert typed(*approve, who="bob")[0] == 6
    monkeypatch.setenv("ANON_PASSPHRASE", "correct horse")
    code, said_, _ = typed(*approve, who="bob")
    assert (code, said_.split("release ")[1]) == (
        0,
        f"{release.name}, for alice: a lab result has to be told\n",
    )
    code, said_, _ = typed("reidentify", "run", request, "-o", out)
    assert (code, said_) == (0, f"3 values in {out}: identified data, delete it when you are done\n")
    assert out.read_text().splitlines()[0] == "code,value"
    assert typed("reidentify", "run", request, "-o", tmp_path / "again.csv")[0] == 1
    (listed,) = json.loads(typed("reidentify", "list", "--json")[1])
    assert (listed["state"], listed["approver"], listed["asked_by"]) == ("done", "bob", "alice")
    assert f" {request} " in typed("reidentify", "list")[1]
    assert [each["name"] for each in json.loads(typed("approvers", "list", "--json")[1])] == ["bob"]
    assert typed("approvers", "remove", "bob")[0] == 0
    assert typed("approvers", "remove", "bob")[0] == 1
    log = typed("audit", "log", "--json")[1]
    actions = [event["action"] for event in json.loads(log) if not event["dataset"]]
    assert actions == [
        "approver.added", "reidentify.failed", "reidentify.failed", "reidentify.failed", "reidentify.failed", "approver.removed",
    ]  # fmt: skip
    values = [line.split(",")[1] for line in out.read_text().splitlines()[1:]]
    assert not [value for value in values if value in log]
    assert typed("audit", "verify")[0] == 0


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201, "a\nb"])
def test_a_reason_that_is_none_is_a_faulty_call(typed: Typed, reason: str) -> None:
    """It is what an auditor reads later."""
    for call in (
        ["keys", "forget", "codes", "--yes"],
        ["reidentify", "request", "clinic", "--column", "visit", "--codes", "none"],
    ):
        code, out, err = typed(*call, "--reason", reason)
        assert (code, out) == (2, "")
        assert "say why in one line of 200 characters at most" in " ".join(err.replace("│", " ").split())


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (None, 3, "error cannot read {}: No such file or directory\n"),
        (b"\xff\xfe", 3, "error {} is no text in UTF-8; write one code a line\n"),
    ],
)
def test_codes_that_cannot_be_read_are_told(
    typed: Typed, tmp_path: Path, content: bytes | None, code: int, said: str
) -> None:
    """With the file."""
    file = tmp_path / "codes.txt"
    if content is not None:
        file.write_bytes(content)
    asked = ["reidentify", "request", "clinic", "--column", "visit", "--codes", file, "--reason", "x"]
    assert typed(*asked) == (code, "", said.format(file))
