"""A synthetic table at one ε, tried on the data it was made of and on people who were held out."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from anon_platform.dp.bounding import bounded
from anon_platform.ingest import snapshot
from anon_platform.keys import load_key
from anon_platform.ledger import INSTANCE_KEY
from anon_platform.pipeline.dp.times import on_the_wall
from anon_platform.pipeline.staging import Work
from anon_platform.policy import DPPolicy
from anon_platform.table import PERSON, ROW, TOKEN, PolarsTable
from anon_platform.validate.dp.trial import Trial, tried

HELD_OUT = 0.3
"""Share of the people of whom nothing goes into the tables: models are tested and attacks compared on them."""

SEED = 7

MEMBERS, OTHERS = "members.parquet", "others.parquet"


@dataclass(frozen=True)
class Tried:
    """The policy at one ε. half_widths: by measurement, infinite where an interval has no end; trial: of a synthetic table; reason: why there is none."""

    epsilon: float
    half_widths: dict[str, float] = field(default_factory=dict)
    trial: Trial | None = None
    distance: float | None = None
    """From the noisy marginals, which the policy's threshold is about."""
    reason: str = ""
    missed: tuple[str, ...] = ()
    """Thresholds of the policy that are missed."""


def write_rows(policy: DPPolicy, work: Work, sample: int | None, folder: Path) -> None:
    """Bounded rows of the people that tables are made of, and of others, to two files of the folder, which is in staging.

    sample: people that are drawn at random; None: all.
    """
    key = load_key(INSTANCE_KEY).derive("people")
    with work.draft("raw") as draft:
        snapshot(policy, draft, key=key)
        rows = on_the_wall(pl.read_parquet(list(PolarsTable.over(draft).files), glob=False))
    rng = np.random.default_rng(SEED)
    kept = bounded(rows, TOKEN, policy.privacy_loss.contribution, rng).rows.drop(ROW, TOKEN)
    people = kept[PERSON].unique().sort()
    order = rng.permutation(len(people))[: sample or len(people)]
    out = round(HELD_OUT * len(order))
    folder.mkdir(parents=True, mode=0o700)
    for name, chosen in ((OTHERS, order[:out]), (MEMBERS, order[out:])):
        of_them = people.gather(np.sort(chosen)).implode()
        kept.filter(pl.col(PERSON).is_in(of_them)).write_parquet(folder / name)


def try_table(policy: DPPolicy, folder: Path, known: Tried) -> Tried:
    """The point with what was found of its table. folder: of `write_rows`; known: what follows from the policy alone."""
    from anon_platform.dp.synthetic import synthesize

    members, others = (pl.read_parquet(folder / name, glob=False) for name in (MEMBERS, OTHERS))
    settings, stated = policy.synthetic, policy.privacy_loss
    assert settings is not None
    # as many rows as went in, so that distances compare
    settings = settings.model_copy(update={"rows": members.height})
    made = synthesize(
        members.select(list(policy.domains)),
        settings,
        policy.domains,
        policy.required,
        stated.loss,
        stated.rows_that_differ,
        np.random.default_rng(SEED),
    )
    trial = tried(
        made.table,
        members,
        others,
        policy.domains,
        policy.required,
        settings.target,
        _positive(policy, others),
        SEED,
    )
    limit = policy.thresholds.marginal_error
    missed = ("marginal_error",) if limit is not None and made.fit_error > limit else ()
    return Tried(stated.epsilon, known.half_widths, trial, made.fit_error, missed=missed)


def _positive(policy: DPPolicy, rows: pl.DataFrame) -> str | None:
    """The rarest named category of the target: what a model would be about."""
    target = policy.synthetic.target if policy.synthetic is not None else None
    if target is None:
        return None
    domain = policy.domains[target]
    if domain.kind != "categories" or domain.values == "found":
        return None
    texts = rows[target].cast(pl.String)
    named = [str(value).lower() if isinstance(value, bool) else str(value) for value in domain.values]
    there = [(int((texts == name).sum()), name) for name in named]
    present = [each for each in there if each[0]]
    return min(present)[1] if present else None
