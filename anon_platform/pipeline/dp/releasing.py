"""From noisy results to a release folder: evidence for the checks, report and manifest; nothing exact about the data in it."""

import math
import shutil
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from anon_platform.dp import Loss, epsilon_of
from anon_platform.dp.domain import Categories, Dates, Domain
from anon_platform.dp.statistics import Statistic
from anon_platform.dp.statistics.axes import Axis
from anon_platform.ledger import Ledger
from anon_platform.ledger.balance import Balance, Share
from anon_platform.ledger.budget import Budget
from anon_platform.pipeline.dp.measuring import Drawn, File, widest
from anon_platform.pipeline.dp.plan import dp_plan_of
from anon_platform.pipeline.manifest import in_every_manifest, versions
from anon_platform.pipeline.staging import Work
from anon_platform.policy import DPPolicy
from anon_platform.publish import MANIFEST, file_hashes, read_json, write_dp_report, write_json
from anon_platform.validate import Assessment
from anon_platform.validate.dp import DPEvidence, Spent, Table, assess_dp
from anon_platform.validate.dp.documents import MODEL
from anon_platform.validate.dp.measure import typed

RESTS_ON_MANIFEST = (
    "the privacy loss: it is what the mechanisms are proved to lose, and no file can show it",
    "that noise was drawn once, and by the mechanisms named",
)


def assessment_of(policy: DPPolicy, data: Path, drawn: Drawn, granted: Loss, balance: Balance) -> Assessment:
    """Every check on the files in `data`."""
    return assess_dp(
        DPEvidence(
            policy=policy,
            data=data,
            tables=[table_of(policy, file) for file in drawn.files if file.kind == "table"],
            documents=tuple(file.name for file in drawn.files if file.kind != "table"),
            granted=granted,
            spent=drawn.spent,
            accounts=accounts_of(balance, policy.publish.recipient),
            half_widths=_known(drawn) if policy.statistics else {},
            fit=drawn.fit,
        )
    )


def _known(drawn: Drawn) -> dict[str, float]:
    """By statistic, half of the widest 95 % interval that was expected, where it has an end."""
    return {name: width for name, width in widest(drawn.expected).items() if math.isfinite(width)}


def accounts_of(balance: Balance, recipient: str) -> list[Spent]:
    """What is taken under the caps that the release counts against."""
    own = [share for share in balance.recipients if share.recipient == recipient]
    return [
        _spent(balance.overall, "to all recipients"),
        *(_spent(share, "to this recipient") for share in own),
    ]


def _spent(share: Share, whose: str) -> Spent:
    return Spent(whose, share.taken_epsilon, share.cap.epsilon, share.cap.delta, share.basic_epsilon)


def table_of(policy: DPPolicy, file: File) -> Table:
    """Columns of a statistic that make groups, or all columns of a synthetic table, have a public domain."""
    if policy.synthetic is not None:
        return Table(file.name, file.types, policy.domains, policy.required)
    (statistic,) = [each for each in policy.statistics if each.name == file.name]
    domains = {name: _labelled(statistic, name, policy.domains[name]) for name in statistic.groups}
    return Table(file.name, file.types, domains, frozenset())


def _labelled(statistic: Statistic, column: str, domain: Domain) -> Domain:
    """The domain of a column's labels: periods begin before the first day that may be, totals have names of their own."""
    if isinstance(domain, Dates):
        first = Axis(column, domain).labels[0]
        return domain.model_copy(update={"bounds": (min(first, domain.bounds[0]), domain.bounds[1])})
    coarser = tuple(dict.fromkeys(statistic.hierarchies.get(column, {}).values()))
    if isinstance(domain, Categories) and coarser:
        return domain.model_copy(update={"values": (*domain.values, *coarser)})
    return domain


def write_dp_release(
    policy: DPPolicy,
    work: Work,
    drawn: Drawn,
    assessment: Assessment,
    ledger: Ledger,
    folder: Path,
) -> None:
    """Writes the release to `folder`, a draft in staging: data, assessment, report and manifest."""
    folder.mkdir()
    # copied, not moved: it is paid for, so that a failure here must leave it for the next run
    shutil.copytree(work.part("anonymized") / "data", folder / "data")
    whole = {"passed": assessment.passed, **assessment.model_dump(mode="json"), "measured": drawn.measured}
    write_json(folder / "assessment.json", whole)
    balance = Budget(ledger).balance(policy.privacy_loss.population)
    manifest = _manifest(policy, work, drawn, assessment, ledger.head())
    manifest["files"] = file_hashes(folder)
    # of a refused model nothing leaves, not even as a picture
    model = read_json(folder / "data" / MODEL) if policy.trained_model and assessment.passed else None
    write_dp_report(
        folder / "report.html",
        manifest=manifest,
        assessment=whole,
        account=_account(balance, policy),
        # what was refused may hold what must not leave, and the report stays
        answers=_answers(policy, folder / "data", drawn) if assessment.passed else {},
        model=model,
    )
    manifest["files"] = file_hashes(folder)
    write_json(folder / MANIFEST, manifest)


def _answers(policy: DPPolicy, data: Path, drawn: Drawn) -> dict[str, list[dict[str, Any]]]:
    """The rows of each statistic, which carry noise; neither a synthetic table nor a model's file is shown."""
    if not policy.statistics:
        return {}
    found = {file.name: typed(data, table_of(policy, file))[0] for file in drawn.files}
    return {name: frame.to_dicts() for name, frame in found.items()}


def _manifest(
    policy: DPPolicy, work: Work, drawn: Drawn, assessment: Assessment, ledger_head: tuple[int, str]
) -> dict[str, Any]:
    """The manifest as JSON values. Neither rows nor people of the source are counted in it, nor is its fingerprint."""
    stated = policy.privacy_loss
    return {
        **in_every_manifest(
            policy, work.release_id, datetime.now(UTC).isoformat(timespec="seconds"), assessment, ledger_head
        ),
        "kind": "dp",
        "plan": dp_plan_of(policy).as_json(),
        "input_fingerprint": "",
        "versions": versions() | {"opendp": version("opendp")},
        "rows": {"out": sum(file.rows for file in drawn.files)},
        "people": {"out": None, "name": policy.privacy_unit.name},
        "tables_drawn": [
            {
                "name": file.name,
                "columns": list(file.columns),
                "rows": file.rows,
                "what": file.what,
                "kind": file.kind,
            }
            for file in drawn.files
        ],
        "types": drawn.types,
        "privacy_loss": {
            "measure": drawn.spent.measure,
            "units": drawn.spent.units,
            "delta_units": drawn.spent.delta_units,
            "epsilon": epsilon_of(drawn.spent, stated.delta),
            "delta": stated.delta,
            "neighbours": stated.neighbours,
            "contribution": stated.contribution,
            "unit": policy.privacy_unit.name,
        },
        "stages": {
            name: {key: value for key, value in work.require(name).items() if key != "drawn"}
            for name in ("raw", "analyzed")
        }
        | {"anonymized": {"files": len(drawn.files)}},
        "rests_on_manifest": list(RESTS_ON_MANIFEST),
    }


def _account(balance: Balance, policy: DPPolicy) -> dict[str, Any]:
    """What the report shows of the budget: every release that took of it, oldest first."""
    return {
        "population": balance.population,
        "rule": balance.rule,
        "shares": [
            {
                "recipient": share.recipient,
                "cap_epsilon": share.cap.epsilon,
                "cap_delta": share.cap.delta,
                "taken": share.taken_epsilon,
                "left": share.left_epsilon,
                "basic": share.basic_epsilon,
            }
            for share in (balance.overall, *balance.recipients)
            if share.recipient in ("", policy.publish.recipient)
        ],
        "releases": [
            {
                "dataset": each.dataset,
                "recipient": each.recipient,
                "purpose": each.purpose,
                "epsilon": each.epsilon,
                "delta": each.delta,
                "at": each.reserved_at,
                "release_id": each.release_id,
            }
            for each in balance.releases
            if each.counts
        ],
    }
