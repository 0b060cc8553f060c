"""The stages of a differentially private release.

The loss is reserved before a row is read, spent before noise is drawn, and settled when the release is out. What the
stages report is known without the data, or carries noise: not even a number of rows is told.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import polars as pl

from anon_platform.dp.bounding import bounded
from anon_platform.errors import BudgetError, SourceError
from anon_platform.ingest import fingerprint, snapshot, source_files
from anon_platform.keys import Key, load_key
from anon_platform.ledger import INSTANCE_KEY, Ledger
from anon_platform.ledger.accounts import Reservation
from anon_platform.ledger.budget import Budget
from anon_platform.pipeline.dp.account import release_id_of, request_of
from anon_platform.pipeline.dp.measuring import Drawn, draw
from anon_platform.pipeline.dp.plan import dp_plan_of
from anon_platform.pipeline.dp.releasing import assessment_of, write_dp_release
from anon_platform.pipeline.dp.times import on_the_wall
from anon_platform.pipeline.stages import (
    StageReport,
    from_manifest,
    record,
    report_of,
    require_not_lost,
    wipe_others,
)
from anon_platform.pipeline.staging import Work, current, exclusive, remember, value_free
from anon_platform.pipeline.treatments import Progress
from anon_platform.policy import DPPolicy
from anon_platform.publish import promote, refuse
from anon_platform.table import PERSON, ROW, TOKEN, PolarsTable

BOUNDED = "bounded.parquet"


@value_free
def raw(policy: DPPolicy, progress: Progress) -> StageReport:
    """Reserves the privacy loss, then copies the columns that have a domain to staging."""
    with exclusive(policy.dataset), Ledger.open() as ledger:
        progress("fingerprint of the source", 0, 0)
        key = load_key(INSTANCE_KEY)
        # a keyed hash of the files' bytes: it names the release, so that a retry finds it, and tells nothing else
        found = fingerprint(source_files(policy.source), key)
        work = Work(policy.dataset, release_id_of(policy, found, key))
        remember(work, policy.hash)
        if work.released.exists():
            record(ledger, "raw.materialized", policy, work, "already released", {})
            return from_manifest("raw", work)
        require_not_lost(ledger, work)
        _give_back_others(ledger, work)
        wipe_others(work)
        numbers = work.done("raw")
        reservation = _reserved(ledger, policy, work)
        if numbers is None:
            with _given_back(ledger, reservation):
                _copy(policy, work, key.derive("people"), found, progress)
            numbers = {
                "columns": len(policy.columns),
                "columns_read": len(policy.domains),
                "epsilon_reserved": policy.privacy_loss.epsilon,
                "delta_reserved": policy.privacy_loss.delta,
            }
            work.finish("raw", numbers)
            record(ledger, "raw.materialized", policy, work, "ok", {})
        return report_of("raw", work, numbers)


def _reserved(ledger: Ledger, policy: DPPolicy, work: Work) -> Reservation:
    """The reservation of the release; what is refused for want of budget is recorded."""
    try:
        reservation = Budget(ledger).reserve(request_of(policy, work.release_id))
    except BudgetError:
        record(ledger, "release.refused", policy, work, "over budget", {})
        raise
    if reservation.state == "settled":
        raise BudgetError(
            f"dataset {policy.dataset}: release {work.release_id} was {reservation.outcome}, and what it spent stays spent;"
            " noise is not drawn twice. Mend the policy: another one is another release, and is paid for anew"
        )
    if reservation.state != "reserved" and work.done("anonymized") is None:
        raise BudgetError(
            f"dataset {policy.dataset}: a run of release {work.release_id} drew noise and was cut off before it had"
            " published; what it spent stays spent, and noise is not drawn twice. To pay for another release change"
            " publish.purpose, or wait for new data"
        )
    return reservation


@contextmanager
def _given_back(ledger: Ledger, reservation: Reservation) -> Iterator[None]:
    """Returns a reservation when the source cannot be read: nothing was measured yet."""
    try:
        yield
    except BaseException:
        if reservation.state == "reserved":
            Budget(ledger).give_back(reservation.release_id)
        raise


def _give_back_others(ledger: Ledger, work: Work) -> None:
    """Returns what earlier inputs or policies of the dataset had reserved and never used; their staging is wiped next.

    The ledger is asked, not staging: a run may be killed before it has a folder, and folders may be deleted by hand.
    """
    budget = Budget(ledger)
    for held in [each for balance in budget.balances() for each in balance.releases]:
        if held.dataset == work.dataset and held.release_id != work.release_id and held.state == "reserved":
            budget.give_back(held.release_id)


def _copy(policy: DPPolicy, work: Work, key: Key, found: str, progress: Progress) -> None:
    with work.draft("raw") as draft:
        snapshot(
            policy,
            draft,
            key=key,
            progress=lambda done: progress("copying to staging", 0, 0) if done else None,
        )
        if fingerprint(source_files(policy.source), load_key(INSTANCE_KEY)) != found:
            raise SourceError(f"the source {policy.source.path} changed while it was read; run again")


@value_free
def analyzed(policy: DPPolicy, progress: Progress) -> StageReport:
    """Keeps as many rows of everybody as the policy counts, and says how large noise will be."""
    with exclusive(policy.dataset), Ledger.open() as ledger:
        work = current(policy.dataset, policy.hash)
        if work.released.exists():
            return from_manifest("analyzed", work)
        work.require("raw")
        numbers = work.done("analyzed")
        if numbers is None:
            progress("bounding contributions", 0, 0)
            with work.draft("analyzed") as draft:
                draft.mkdir()
                table = pl.read_parquet(list(PolarsTable.over(work.part("raw")).files), glob=False)
                kept = bounded(table, TOKEN, policy.privacy_loss.contribution, _dice(work.release_id))
                on_the_wall(kept.rows.drop(ROW, PERSON)).write_parquet(draft / BOUNDED)
                numbers = dp_plan_of(policy).numbers()
            work.finish("analyzed", numbers)
            record(ledger, "analyzed.materialized", policy, work, "ok", {})
        return report_of("analyzed", work, numbers)


def _dice(release_id: str) -> np.random.Generator:
    """The same for a retry, and unknown to whoever does not have the instance key."""
    seed = load_key(INSTANCE_KEY).derive("contribution").mac(release_id.encode())
    return np.random.default_rng(int.from_bytes(seed))


@value_free
def anonymized(policy: DPPolicy, progress: Progress) -> StageReport:
    """Spends the privacy loss, draws noise once, and leaves what is to be released in staging."""
    with exclusive(policy.dataset), Ledger.open() as ledger:
        work = current(policy.dataset, policy.hash)
        if work.released.exists():
            return from_manifest("anonymized", work)
        work.require("analyzed")
        numbers = work.done("anonymized")
        if numbers is None:
            reservation = Budget(ledger).find(work.release_id)
            if reservation is None or reservation.state != "reserved":
                raise BudgetError(
                    f"dataset {policy.dataset}: the privacy loss of release {work.release_id} is not reserved, or noise"
                    " was drawn already; materialize raw again"
                )
            table = pl.read_parquet(work.part("analyzed") / BOUNDED, glob=False)
            Budget(ledger).spend(work.release_id)
            progress("measuring with noise", 0, 0)
            with work.draft("anonymized") as draft:
                draft.mkdir()
                numbers = draw(policy, table, TOKEN, draft, progress)
            work.finish("anonymized", numbers)
            record(ledger, "anonymized.materialized", policy, work, "ok", {})
        return report_of("anonymized", work, told(numbers))


@value_free
def validated(policy: DPPolicy, progress: Progress) -> StageReport:
    """Checks the files that leave against budget, domains and limits; promotes them if, and only if, all hold."""
    with exclusive(policy.dataset), Ledger.open() as ledger:
        work = current(policy.dataset, policy.hash)
        if work.released.exists():
            return from_manifest("validated", work)
        drawn = Drawn.from_json(work.require("anonymized")["drawn"])
        progress("checking the files", 0, 0)
        reservation = Budget(ledger).find(work.release_id)
        assert reservation is not None
        balance = Budget(ledger).balance(policy.privacy_loss.population)
        assessment = assessment_of(policy, work.part("anonymized") / "data", drawn, reservation.loss, balance)
        measures: dict[str, Any] = {m.name: m.value for m in assessment.metrics if m.value is not None}
        with work.draft("release") as draft:
            write_dp_release(policy, work, drawn, assessment, ledger, draft)
            if assessment.passed:
                promote(draft, work.released)
            else:
                refuse(draft, work.refused)
        Budget(ledger).settle(work.release_id, outcome="released" if assessment.passed else "refused")
        if not assessment.passed:
            work.wipe()
            missed = {metric.name: metric.value or 0.0 for metric in assessment.missed()}
            record(ledger, "release.refused", policy, work, "refused", {"missed": missed})
            return report_of("validated", work, measures, path=work.refused, assessment=assessment)
        record(ledger, "release.promoted", policy, work, "ok", measures)
        measures["types"] = drawn.types
        return report_of("validated", work, measures, path=work.released, assessment=assessment)


DP_STAGES: dict[str, Callable[[DPPolicy, Progress], StageReport]] = {
    "raw": raw,
    "analyzed": analyzed,
    "anonymized": anonymized,
    "validated": validated,
}


def told(numbers: dict[str, Any]) -> dict[str, Any]:
    """What Dagster shows of the measuring: single numbers."""
    return {name: value for name, value in numbers.items() if isinstance(value, (int, float))}
