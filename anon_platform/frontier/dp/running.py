"""A policy at several ε: expected noise from the policy alone; synthetic tables tried on the data, inside, in processes of their own."""

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from anon_platform.errors import BudgetError, PolicyError
from anon_platform.frontier.dp.kept import Kept
from anon_platform.frontier.dp.trying import Tried, try_table, write_rows
from anon_platform.ingest import fingerprint, source_files
from anon_platform.keys import load_key
from anon_platform.ledger import INSTANCE_KEY
from anon_platform.pipeline.dp.measuring import expected, widest
from anon_platform.pipeline.staging import Work, exclusive, value_free
from anon_platform.pipeline.treatments import Progress, silent
from anon_platform.policy import DPPolicy

AROUND = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""ε that are tried where nothing else is asked for, beside the policy's own."""


@dataclass(frozen=True)
class TradeOff:
    """The policy at every ε, in order. sample: people that were looked at; None: all."""

    policy: DPPolicy
    points: tuple[Tried, ...]
    own: int
    sample: int | None
    reused: int = 0
    """Points that were measured before."""

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
    jobs: int = 1,
    progress: Progress = silent,
) -> TradeOff:
    """Every ε tried, tables in so many processes, from what was kept where it is known.

    Nothing is spent, since nothing leaves: what is measured on the data is for its owner only.
    """
    own = policy.privacy_loss.epsilon
    values = sorted({*(epsilons or AROUND), own})
    if min(values) <= 0:
        raise PolicyError("--epsilon: ε is above 0; write numbers such as 0.5,1,2")
    policies = [_at(policy, epsilon) for epsilon in values]
    points = [_expected(each) for each in policies]
    reused = 0
    if policy.synthetic is not None:
        points, reused = _tables(policy, policies, points, sample, jobs, progress)
    return TradeOff(policy, tuple(points), values.index(own), sample, reused)


def _at(policy: DPPolicy, epsilon: float) -> DPPolicy:
    """The policy at another ε; caps do not matter where nothing is spent."""
    loss = policy.privacy_loss.model_copy(update={"epsilon": epsilon})
    return policy.model_copy(update={"privacy_loss": loss})


def _expected(policy: DPPolicy) -> Tried:
    """What follows from the policy alone."""
    try:
        lines = expected(policy)
    except (BudgetError, PolicyError) as error:
        return Tried(policy.privacy_loss.epsilon, {}, reason=str(error))
    widths = widest([replace(line, of=line.of or line.name) for line in lines])
    missed = tuple(
        name for name, limit in policy.thresholds.half_width.items() if widths.get(name, 0.0) > limit
    )
    return Tried(policy.privacy_loss.epsilon, widths, missed=missed)


def _tables(
    policy: DPPolicy,
    policies: Sequence[DPPolicy],
    known: Sequence[Tried],
    sample: int | None,
    jobs: int,
    progress: Progress,
) -> tuple[list[Tried], int]:
    """The points with their tables, and how many were kept from before."""
    kept = Kept.of(policy, fingerprint(source_files(policy.source), load_key(INSTANCE_KEY)), sample)
    points = [
        point if point.reason else kept.known(each) or point
        for each, point in zip(policies, known, strict=True)
    ]
    missing = [at for at, point in enumerate(points) if not point.reason and point.trial is None]
    reused = len([point for point in points if point.trial is not None])
    if missing:
        with _rows(policy, sample, progress) as folder:
            asked = [(policies[at], points[at]) for at in missing]
            for at, point in zip(missing, _tried(folder, asked, jobs), strict=True):
                kept.keep(policies[at], point)
                points[at] = point
                progress("trying ε", len([one for one in points if one.trial or one.reason]), len(points))
    return points, reused


def _tried(folder: Path, asked: Sequence[tuple[DPPolicy, Tried]], jobs: int) -> Iterator[Tried]:
    """In order, as they are found."""
    point = partial(_point, folder)
    if jobs == 1 or len(asked) == 1:
        yield from map(point, asked)
        return
    # a forked process would inherit threads that hold locks
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(asked)), mp_context=context) as pool:
        yield from pool.map(point, asked)


@value_free
def _point(folder: Path, asked: tuple[DPPolicy, Tried]) -> Tried:
    policy, known = asked
    return try_table(policy, folder, known)


@contextmanager
def _rows(policy: DPPolicy, sample: int | None, progress: Progress) -> Iterator[Path]:
    """The folder with the rows made ready; staging is deleted in every case. A release of the dataset goes on beside it."""
    name = f"{policy.dataset}__frontier"
    with exclusive(name):
        work = Work(name, "rows")
        work.wipe()
        try:
            progress("copying to staging", 0, 0)
            value_free(write_rows)(policy, work, sample, work.part("frontier"))
            yield work.part("frontier")
        finally:
            work.wipe()
