"""All settings of a sweep, in processes of their own; the source is read once, into staging of the frontier's own."""

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from anon_platform.errors import PolicyError
from anon_platform.frontier.cache import Cache
from anon_platform.frontier.measuring import Measuring
from anon_platform.frontier.pareto import Advice, advice, pareto_front
from anon_platform.frontier.point import Point, judged
from anon_platform.frontier.prepared import Prepared, prepared
from anon_platform.frontier.sweep import Setting, Sweep, own_setting
from anon_platform.ingest import fingerprint, source_files
from anon_platform.keys import load_key
from anon_platform.ledger import INSTANCE_KEY
from anon_platform.pipeline import plan
from anon_platform.pipeline.stages import copied
from anon_platform.pipeline.staging import Work, exclusive, value_free
from anon_platform.pipeline.treatments import Progress, silent
from anon_platform.policy import DPPolicy, Policy, TablesPolicy

MODEL_PEOPLE = 20_000
"""People that a model is trained on and tested with at every setting, where nothing else is said."""


@dataclass(frozen=True)
class Frontier:
    """front: positions of the points that no other beats in maximum risk and loss; front_mean: in mean risk and loss.

    own: position of the policy's own setting. sample: people that were looked at; None: all.
    """

    policy: Policy
    points: tuple[Point, ...]
    front: tuple[int, ...]
    front_mean: tuple[int, ...]
    own: int
    advice: Advice
    sample: int | None
    model_people: int | None
    reused: int
    fingerprint: str = ""
    """Of the source, keyed."""


def frontier_policy(file: Path) -> Policy:
    """The policy of one table; one over several is refused."""
    policy = plan(file).policy
    if isinstance(policy, TablesPolicy):
        raise PolicyError(
            "a policy over several tables has no frontier: its tables lose and gain together; write a policy of one of them"
        )
    if isinstance(policy, DPPolicy):
        raise PolicyError(
            "a differentially private policy has no frontier of k, l and t; its trade-off is ε against noise, which anon check"
            " shows before anything is spent"
        )
    return policy


@value_free
def run_frontier(
    policy: Policy,
    sweep: Sweep,
    *,
    sample: int | None = None,
    model_people: int | None = None,
    jobs: int = 2,
    progress: Progress = silent,
) -> Frontier:
    """Every setting measured, from the cache where it is known. model_people: None for no model."""
    own = own_setting(policy, sweep)
    settings = sweep.settings()
    if own not in settings:
        settings = [own, *settings]
    found = fingerprint(source_files(policy.source), load_key(INSTANCE_KEY))
    cache = Cache.of(policy, found, sample, model_people)
    known = {place: cache.known(policy, setting) for place, setting in enumerate(settings)}
    points = {place: point for place, point in known.items() if point is not None}
    reused = len(points)
    missing = [place for place in range(len(settings)) if place not in points]
    if missing:
        with _staged(policy, found, sample, model_people, progress) as folder:
            tried = _measured(folder, [settings[place] for place in missing], jobs)
            for place, point in zip(missing, tried, strict=False):
                cache.keep(policy, point)
                points[place] = point
                progress("trying settings", len(points), len(settings))
    told = [points[place] for place in range(len(settings))]
    made = frontier_of(policy, told, settings.index(own), sample, model_people, reused)
    return replace(made, fingerprint=found)


def frontier_of(
    policy: Policy,
    points: Sequence[Point],
    own: int,
    sample: int | None,
    model_people: int | None,
    reused: int = 0,
) -> Frontier:
    """The measured points with the front and the advice."""
    told = tuple(judged(point, policy) for point in points)
    there = [place for place, point in enumerate(told) if point.reason is None]
    losses = [told[place].information_loss for place in there]
    fronts = [
        tuple(there[i] for i in pareto_front([getattr(told[place], risk) for place in there], losses))
        for risk in ("max_risk", "mean_risk")
    ]
    return Frontier(policy, told, fronts[0], fronts[1], own, advice(told, own), sample, model_people, reused)


@contextmanager
def _staged(
    policy: Policy, found: str, sample: int | None, model_people: int | None, progress: Progress
) -> Iterator[Path]:
    """The folder with the rows made ready; it is deleted in every case. A release of the dataset goes on beside it."""
    name = f"{policy.dataset}__frontier"
    with exclusive(name):
        work = Work(name, "rows")
        work.wipe()
        try:
            key = load_key(INSTANCE_KEY).derive("people") if policy.treats_people else None
            work.finish("raw", copied(policy, work, found, key, progress))
            progress("making rows ready", 0, 0)
            ready = prepared(policy, work.snapshot(policy.engine), sample, model_people)
            ready.write(work.part("frontier"))
            del ready
            yield work.part("frontier")
        finally:
            work.wipe()


def _measured(folder: Path, settings: Sequence[Setting], jobs: int) -> Iterator[Point]:
    """The points, in order, as they are measured."""
    if jobs == 1 or len(settings) == 1:
        measuring = Measuring(Prepared.read(folder))
        yield from (measuring.point(setting) for setting in settings)
        return
    # a forked process would inherit threads that hold locks
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        min(jobs, len(settings)), mp_context=context, initializer=_open, initargs=(folder,)
    ) as pool:
        yield from pool.map(_point, settings)


_opened: dict[str, Measuring] = {}


def _open(folder: Path) -> None:
    _opened["rows"] = Measuring(Prepared.read(folder))


@value_free
def _point(setting: Setting) -> Point:
    return _opened["rows"].point(setting)
