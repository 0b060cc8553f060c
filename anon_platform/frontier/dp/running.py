"""A policy at several ε: expected noise from the policy alone; a synthetic table tried on the data, inside."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from anon_platform.dp.bounding import bounded
from anon_platform.errors import BudgetError, PolicyError
from anon_platform.ingest import snapshot
from anon_platform.keys import load_key
from anon_platform.ledger import INSTANCE_KEY
from anon_platform.pipeline.dp.measuring import expected, widest
from anon_platform.pipeline.dp.times import on_the_wall
from anon_platform.pipeline.staging import Work, exclusive, value_free
from anon_platform.pipeline.treatments import Progress, silent
from anon_platform.policy import DPPolicy
from anon_platform.table import PERSON, ROW, TOKEN, PolarsTable
from anon_platform.validate.dp.trial import Trial, tried

AROUND = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""ε that are tried where nothing else is asked for, beside the policy's own."""

HELD_OUT = 0.3
"""Share of the people of whom nothing goes into the tables: models are tested and attacks compared on them."""

SEED = 7


@dataclass(frozen=True)
class Tried:
    """The policy at one ε. half_widths: by measurement, infinite where an interval has no end; trial: of a synthetic table; reason: why there is none."""

    epsilon: float
    half_widths: dict[str, float]
    trial: Trial | None = None
    distance: float | None = None
    """From the noisy marginals, which the policy's threshold is about."""
    reason: str = ""
    missed: tuple[str, ...] = ()
    """Thresholds of the policy that are missed."""


@dataclass(frozen=True)
class TradeOff:
    """The policy at every ε, in order. sample: people that were looked at; None: all."""

    policy: DPPolicy
    points: tuple[Tried, ...]
    own: int
    sample: int | None

    @property
    def best(self) -> int | None:
        """The least ε that meets the policy's thresholds; None where none does, or the policy has none."""
        limits = self.policy.thresholds
        if limits.marginal_error is None and not limits.half_width:
            return None
        met = [at for at, point in enumerate(self.points) if not point.reason and not point.missed]
        return met[0] if met else None


def run_trade_off(
    policy: DPPolicy,
    epsilons: Sequence[float] = (),
    *,
    sample: int | None = None,
    progress: Progress = silent,
) -> TradeOff:
    """Every ε tried. Nothing is spent, since nothing leaves: what is measured on the data is for its owner only."""
    own = policy.privacy_loss.epsilon
    values = sorted({*(epsilons or AROUND), own})
    if min(values) <= 0:
        raise PolicyError("--epsilon: ε is above 0; write numbers such as 0.5,1,2")
    policies = [_at(policy, epsilon) for epsilon in values]
    if policy.synthetic is None:
        points = [_expected(each) for each in policies]
    else:
        points = _tables(policy, policies, sample, progress)
    return TradeOff(policy, tuple(points), values.index(own), sample)


def _at(policy: DPPolicy, epsilon: float) -> DPPolicy:
    """The policy at another ε; caps do not matter where nothing is spent."""
    loss = policy.privacy_loss.model_copy(update={"epsilon": epsilon})
    return policy.model_copy(update={"privacy_loss": loss})


def _expected(policy: DPPolicy) -> Tried:
    try:
        lines = expected(policy)
    except (BudgetError, PolicyError) as error:
        return Tried(policy.privacy_loss.epsilon, {}, reason=str(error))
    widths = widest([replace(line, of=line.of or line.name) for line in lines])
    missed = tuple(
        name for name, limit in policy.thresholds.half_width.items() if widths.get(name, 0.0) > limit
    )
    return Tried(policy.privacy_loss.epsilon, widths, missed=missed)


@value_free
def _tables(
    policy: DPPolicy, policies: Sequence[DPPolicy], sample: int | None, progress: Progress
) -> list[Tried]:
    points: list[Tried] = []
    with _rows(policy, sample, progress) as (members, others):
        for each in policies:
            progress("trying ε", len(points), len(policies))
            known = _expected(each)
            points.append(known if known.reason else _table(each, members, others, known))
    progress("trying ε", len(points), len(policies))
    return points


def _table(policy: DPPolicy, members: pl.DataFrame, others: pl.DataFrame, known: Tried) -> Tried:
    from anon_platform.dp.synthetic import synthesize

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


@contextmanager
def _rows(
    policy: DPPolicy, sample: int | None, progress: Progress
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Bounded rows of the people that tables are made of, and of others; staging is deleted in every case."""
    name = f"{policy.dataset}__frontier"
    with exclusive(name):
        work = Work(name, "rows")
        work.wipe()
        try:
            progress("copying to staging", 0, 0)
            key = load_key(INSTANCE_KEY).derive("people")
            with work.draft("raw") as draft:
                snapshot(policy, draft, key=key)
                files = list(PolarsTable.over(draft).files)
                rows = on_the_wall(pl.read_parquet(files, glob=False))
            rng = np.random.default_rng(SEED)
            kept = bounded(rows, TOKEN, policy.privacy_loss.contribution, rng).rows.drop(ROW, TOKEN)
            people = kept[PERSON].unique().sort()
            order = rng.permutation(len(people))[: sample or len(people)]
            held = people.gather(np.sort(order[: round(HELD_OUT * len(order))]))
            taken = people.gather(np.sort(order[round(HELD_OUT * len(order)) :]))
            yield (
                kept.filter(pl.col(PERSON).is_in(taken.implode())),
                kept.filter(pl.col(PERSON).is_in(held.implode())),
            )
        finally:
            work.wipe()
