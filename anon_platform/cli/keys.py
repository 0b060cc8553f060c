"""`anon keys`: secret keys made, listed, rotated and forgotten; never shown."""

from typing import Annotated

import typer

from anon_platform.cli.terminal import EPILOG, AsJson, Reason, json_out, out

keys_app = typer.Typer(
    help="Secret keys: made, listed, rotated, forgotten; never shown.", epilog=EPILOG, no_args_is_help=True
)

KeyId = Annotated[str, typer.Argument(metavar="ID", help="The key's id, as policies name it.")]


@keys_app.command("create", epilog=EPILOG)
def create(
    key: Annotated[
        str, typer.Argument(metavar="ID", help="The key's id; `instance` is the platform's own key.")
    ],
    *,
    if_missing: Annotated[bool, typer.Option("--if-missing", help="Do nothing when the key exists.")] = False,
) -> None:
    """Make a random 256-bit key in ANON_HOME/keys, readable by you alone.

    With ANON_KEYRING set it is made in the system's keyring instead. Keep a copy in a safe place: without it pseudonyms cannot be made again and the audit ledger cannot be verified.
    """
    from anon_platform.keys import create_key, list_keys

    if if_missing and key in list_keys():
        return
    place = create_key(key)
    out.print(f"key {key} in {place}; keep a copy in a safe place", soft_wrap=True)


@keys_app.command("list", epilog=EPILOG)
def list_(*, as_json: AsJson = False) -> None:
    """List the keys, their older and forgotten versions and where they lie; never their values."""
    from anon_platform.custody import key_versions

    known = key_versions()
    if as_json:
        json_out([vars(version) for version in known])
        return
    if not known:
        out.print("no keys; make the platform's own with: anon keys create instance")
    for each in known:
        version = "" if (each.state, each.version) == ("current", 1) else f" version {each.version}"
        state = "" if each.state == "current" else f", {each.state}"
        out.print(f"{each.key}{version}{state}  {each.place}", soft_wrap=True)


@keys_app.command("rotate", epilog=EPILOG)
def rotate(key: KeyId) -> None:
    """Put a new secret in the place of a key; the old one stays as an older version.

    New releases use the new one alone, and their codes do not join with earlier ones. The older version undoes what was made with it, until it is forgotten.
    """
    from anon_platform.custody import rotate as rotate_key

    now = rotate_key(key)
    out.print(
        f"key {key} is now version {now.version}, in {now.place}; keep a copy. Version {now.version - 1} is kept for"
        " what was made with it.",
        soft_wrap=True,
    )


@keys_app.command("forget", epilog=EPILOG)
def forget(
    key: KeyId,
    *,
    reason: Reason,
    version: Annotated[
        int | None, typer.Option(min=1, help="Only this version; see: anon keys list. All when left out.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Destroy a key for good, so that nobody can link or undo its codes any more.

    The secret is overwritten and removed, its rows of the vault are deleted, and the audit ledger says when and why. Copies of the key elsewhere are yours to destroy.
    """
    from anon_platform.custody import forget as forget_key

    if not yes:
        typer.confirm(f"Forget key {key}? There is no way back", abort=True, err=True)
    for done in forget_key(key, reason, version):
        rows = f", with {done.vault_rows:,} rows of the vault" if done.vault_rows else ""
        out.print(f"forgot key {key} version {done.version}{rows}", soft_wrap=True)
        for variable in done.left_in:
            out.print(
                f"{variable} holds it still: remove it from where this variable is set; it is not used any more",
                soft_wrap=True,
            )
