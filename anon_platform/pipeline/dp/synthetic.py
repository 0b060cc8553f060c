"""A differentially private synthetic table in the pipeline."""

import secrets
from pathlib import Path

import polars as pl

from anon_platform.dp.synthetic import Synthesis
from anon_platform.pipeline.dp.measuring import Drawn, Expected, File, columns_of, write
from anon_platform.pipeline.treatments import Progress
from anon_platform.policy import DPPolicy

TABLE = "part-00000"
"""The one file of a synthetic table."""


def expected_table(policy: DPPolicy, settings: Synthesis) -> tuple[Expected, ...]:
    """The noise on the marginals that a table is made of."""
    from anon_platform.dp.synthetic import expected

    stated = policy.privacy_loss
    found = expected(settings, policy.domains, policy.required, stated.loss, stated.rows_that_differ)
    kind = "Gaussian" if found.first.measure == "zcdp" else "Laplace"
    first = Expected(
        "",
        "first marginals",
        f"each column with {settings.target}" if settings.target else "each column",
        kind,
        found.first.deviation,
        found.first.half_width(),
        None,
    )
    if found.later is None:
        return (first,)
    what = f"{found.rounds} more, each chosen where the table is furthest from the data, by a noisy choice"
    return first, Expected(
        "", "chosen marginals", what, kind, found.later.deviation, found.later.half_width(), None
    )


def draw_table(
    policy: DPPolicy, settings: Synthesis, rows: pl.DataFrame, data: Path, progress: Progress
) -> Drawn:
    """Measures the marginals and writes the table. rows: bounded, without the person key."""
    import numpy as np

    from anon_platform.dp.synthetic import synthesize

    stated = policy.privacy_loss
    # draws rows from what is noisy already: it must not repeat, and need not be kept
    rng = np.random.default_rng(secrets.randbits(128))
    made = synthesize(
        rows.select(list(policy.domains)),
        settings,
        policy.domains,
        policy.required,
        stated.loss,
        stated.rows_that_differ,
        rng,
        lambda what, share: progress(what, round(100 * share), 100),
    )
    write(made.table, data / TABLE, policy.publish.formats)
    file = File(
        TABLE, columns_of(made.table), made.table.height, "synthetic rows, each drawn anew from the model"
    )
    return Drawn(
        made.spent,
        (file,),
        expected_table(policy, settings),
        {"distance": made.fit_error, "noise": made.noise_error},
        list(made.measured),
    )
