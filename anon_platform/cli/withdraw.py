"""`anon withdraw`: the recipient no longer has a release."""

from typing import Annotated

import typer

from anon_platform.cli.terminal import AsJson, Reason, json_out, out


def withdraw(
    dataset: Annotated[
        str, typer.Argument(metavar="DATASET", help="The dataset, as anon releases lists it.")
    ],
    release: Annotated[str, typer.Argument(metavar="RELEASE", help="The release's id.")],
    *,
    reason: Reason,
    as_json: AsJson = False,
) -> None:
    """Note that the recipient deleted a release, so that later ones are no longer held against it.

    A new release of a dataset must not single anybody out beside the ones that its recipient has already. Say here, with how you know it, that one is gone. The files in ANON_HOME stay; the audit ledger keeps the reason.

    [bold]anon withdraw visits abcdefghijklmnopqrst --reason "deletion confirmed by mail, 3 May"[/bold]
    """
    from anon_platform.pipeline.earlier import withdraw as withdraw_release

    done = withdraw_release(dataset, release, reason)
    if as_json:
        json_out(vars(done))
    elif done.again:
        out.print(f"release {release} of {dataset} was withdrawn before", soft_wrap=True)
    else:
        out.print(
            f"withdrew release {release} of {dataset}; later ones are not held against it", soft_wrap=True
        )
