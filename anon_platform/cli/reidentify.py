"""`anon reidentify` and `anon approvers`: values behind codes, with a reason and a second person."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from anon_platform.cli.terminal import EPILOG, AsJson, Reason, json_out, out, print_whole
from anon_platform.errors import SourceError

if TYPE_CHECKING:  # imported where it is used: help must not wait for it
    from anon_platform.reidentify import Request

HOW = (
    "Find the values behind codes again: asked with a reason, approved by a second person, done once.\n\n"
    '1. [bold]anon reidentify request visits --column mrn --codes codes.txt --reason "..."[/bold]\n\n'
    "2. Another person: [bold]anon reidentify approve ID --as NAME --key FILE --hours 24[/bold]\n\n"
    "3. [bold]anon reidentify run ID -o values.csv[/bold]\n\n"
    "Works for columns treated by tokenize, encrypt and encrypt_format. Every step lands in the audit ledger."
)
approvers_app = typer.Typer(help="Who may approve a re-identification.", epilog=EPILOG, no_args_is_help=True)
reidentify_app = typer.Typer(help=HOW, epilog=EPILOG, no_args_is_help=True)

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="As the ledger names them: their login, or their ANON_ACTOR.")
]
RequestId = Annotated[str, typer.Argument(metavar="ID", help="The request; see: anon reidentify list.")]
PASSPHRASE = "ANON_PASSPHRASE"  # noqa: S105 - the name of a variable


@approvers_app.command("add", epilog=EPILOG)
def add(
    name: Name,
    *,
    key: Annotated[
        Path, typer.Option(metavar="FILE", help="Where the private key is written; the approver keeps it.")
    ],
) -> None:
    """Make an approver: a private key for them, and its public part in the audit ledger.

    The passphrase of the private key is asked for, or taken from ANON_PASSPHRASE; without one the file is all it takes to approve.
    """
    from anon_platform.ledger import Ledger
    from anon_platform.reidentify import add_approver

    with Ledger.open() as ledger:
        made = add_approver(ledger, name, key, _passphrase(confirm=True))
    out.print(f"{made.name} may approve; the private key is in {key}, for {made.name} alone", soft_wrap=True)


@approvers_app.command("list", epilog=EPILOG)
def list_approvers(*, as_json: AsJson = False) -> None:
    """List the approvers with their public keys."""
    from anon_platform.ledger import Ledger
    from anon_platform.reidentify import approvers

    with Ledger.open() as ledger:
        known = approvers(ledger).values()
    if as_json:
        json_out([vars(approver) for approver in known])
    elif not known:
        out.print("no approvers; make one with: anon approvers add NAME --key FILE")
    else:
        table = Table("approver", "added (UTC)", "by", "public key", box=None, header_style="bold")
        for each in known:
            table.add_row(*map(Text, (each.name, each.added_at[:19], each.added_by, each.public_key)))
        print_whole(table)


@approvers_app.command("remove", epilog=EPILOG)
def remove(name: Name) -> None:
    """Take the right to approve away, also from what they approved and nobody used yet."""
    from anon_platform.ledger import Ledger
    from anon_platform.reidentify import remove_approver

    with Ledger.open() as ledger:
        remove_approver(ledger, name)
    out.print(f"{name} may not approve any more", soft_wrap=True)


@reidentify_app.command("request", epilog=EPILOG)
def request(
    release: Annotated[
        str,
        typer.Argument(
            metavar="DATASET|RELEASE", help="A dataset, for its newest release, or a release's id."
        ),
    ],
    *,
    column: Annotated[str, typer.Option(help="The column that the codes are of.")],
    codes: Annotated[Path, typer.Option(metavar="FILE", help="The codes, one a line.")],
    reason: Reason,
) -> None:
    """Ask for the values behind codes; prints the request's id.

    The ledger gets the number of codes and a keyed digest, never a code.
    """
    from anon_platform.ledger import Ledger
    from anon_platform.reidentify import ask

    with Ledger.open() as ledger:
        asked = ask(ledger, release, column, _lines(codes), reason)
    out.print(
        f"request {asked.request}: {asked.codes:,} codes of {asked.column}, release {asked.release}. Somebody else has to"
        f" run: anon reidentify approve {asked.request} --as NAME --key FILE --hours N",
        soft_wrap=True,
    )


@reidentify_app.command("approve", epilog=EPILOG)
def approve(
    request_id: RequestId,
    *,
    name: Annotated[
        str, typer.Option("--as", metavar="NAME", help="The approver; see: anon approvers list.")
    ],
    key: Annotated[Path, typer.Option(metavar="FILE", help="The approver's private key.")],
    hours: Annotated[int, typer.Option(min=1, max=720, help="The approval ends after so many hours.")],
) -> None:
    """Sign a request of somebody else; good for one use, until it ends."""
    from anon_platform.ledger import Ledger
    from anon_platform.reidentify import approve as approve_request

    with Ledger.open() as ledger:
        approved = approve_request(ledger, request_id, name, key, hours, _passphrase_of(key))
    out.print(
        f"approved until {approved.expires}: {approved.codes:,} codes of {approved.column}, release {approved.release},"
        f" for {approved.asked_by}: {approved.reason}",
        soft_wrap=True,
    )


@reidentify_app.command("run", epilog=EPILOG)
def run(
    request_id: RequestId,
    *,
    file: Annotated[
        Path,
        typer.Option("-o", "--out", metavar="OUT.csv", help="A new file: code,value; readable by you alone."),
    ],
) -> None:
    """Write the values of an approved request, once. Needs the key of the column."""
    from anon_platform.ledger import Ledger
    from anon_platform.reidentify import run as run_request

    with Ledger.open() as ledger:
        done = run_request(ledger, request_id, file)
    out.print(
        f"{done.request.codes:,} values in {file}: identified data, delete it when you are done",
        soft_wrap=True,
    )


@reidentify_app.command("list", epilog=EPILOG)
def list_requests(*, as_json: AsJson = False) -> None:
    """List the requests: open, approved, expired or done."""
    from anon_platform.ledger import Ledger
    from anon_platform.reidentify import requests

    with Ledger.open() as ledger:
        known = requests(ledger)
    if as_json:
        json_out([vars(each) | {"state": each.state} for each in known])
    elif not known:
        out.print(
            "no requests; make one with: anon reidentify request DATASET --column … --codes … --reason …"
        )
    else:
        print_whole(_table(known))


def _table(known: "list[Request]") -> Table:
    heads = (
        "request",
        "state",
        "asked (UTC)",
        "by",
        "release",
        "column",
        "codes",
        "approver",
        "until",
        "reason",
    )
    table = Table(*heads, box=None, header_style="bold")
    for each in known:
        cells = (
            each.request, each.state, each.asked_at[:19], each.asked_by, f"{each.dataset} {each.release}", each.column,
            f"{each.codes:,}", each.approver, each.expires[:19], each.reason,
        )  # fmt: skip
        table.add_row(*map(Text, cells))
    return table


def _lines(file: Path) -> list[str]:
    """The lines that are not empty."""
    try:
        text = file.read_text("utf-8-sig")
    except OSError as fault:
        raise SourceError(f"cannot read {file}: {fault.strerror}") from None
    except UnicodeDecodeError:
        raise SourceError(f"{file} is no text in UTF-8; write one code a line") from None
    return [line.strip() for line in text.splitlines() if line.strip()]


def _passphrase_of(file: Path) -> bytes | None:
    """The passphrase of a private key, asked for only when it has one."""
    try:
        encrypted = b"ENCRYPTED" in file.read_bytes()[:64]
    except OSError:
        return None  # told where the key is read
    return _passphrase(confirm=False) if encrypted else None


def _passphrase(*, confirm: bool) -> bytes | None:
    """From the environment, or typed; None where there is neither."""
    if PASSPHRASE in os.environ:
        return os.environ[PASSPHRASE].encode() or None
    if not sys.stdin.isatty():
        return None
    text = "Passphrase of the private key (empty: none)" if confirm else "Passphrase of the private key"
    typed = typer.prompt(
        text, default="", hide_input=True, show_default=False, confirmation_prompt=confirm, err=True
    )
    return typed.encode() or None
