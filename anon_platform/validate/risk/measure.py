"""Risk before and after, for all that an attacker may know, and the metrics that refuse."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import polars as pl

from anon_platform.frequency import by_day
from anon_platform.policy import Policy
from anon_platform.table import PERSON
from anon_platform.validate.counts import ReleasedCounts
from anon_platform.validate.evidence import Evidence
from anon_platform.validate.metric import Metric, most
from anon_platform.validate.risk.events import CONFIDENCE
from anon_platform.validate.risk.picture import Against, ClassRisk, RiskPicture, Wanted, class_risk, picture
from anon_platform.validate.risk.wildcards import diversity_matched, has_wild_cells

CHECK = "reidentification_risk"
"""The asset check that the metrics belong to."""

NO_POPULATION = "the population could not be generalized like the data, so that nothing was counted"


@dataclass(frozen=True)
class AttackerRisk:
    """What one attacker's knowledge is worth, before and after."""

    name: str
    knows: tuple[str, ...]
    before: ClassRisk
    after: ClassRisk


@dataclass(frozen=True)
class Risks:
    """Risk of the original records (timestamps by day) and of the released bytes. unit: whose risk it is.

    wild_diversity: by sensitive column l, t, β and δ (None: without bound) of the release when `*` and nulls match all, where that differs.
    fraction: share of the population that is in the source, where it is estimated. population_lacking: whether the policy names a population table that could not be counted at the released levels.
    """

    unit: str
    before: RiskPicture
    after: RiskPicture
    attackers: tuple[AttackerRisk, ...]
    fraction: float | None = None
    wild_diversity: dict[str, tuple[int, float, float, float | None]] = field(default_factory=dict)
    population_lacking: bool = False

    def as_json(self) -> dict[str, Any]:
        """For the assessment and the report."""
        found: dict[str, Any] = _json(asdict(self))
        return found


def _json(value: Any) -> Any:  # noqa: ANN401 - any part of a JSON value
    """What could not be estimated is null: NaN is no JSON."""
    if isinstance(value, dict):
        return {name: _json(part) for name, part in value.items()}
    if isinstance(value, tuple | list):
        return [_json(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def measure_risk(evidence: Evidence, counted: ReleasedCounts) -> Risks | None:
    """All risks, or None where no quasi-identifier leaves. counted: `released_counts(evidence)`."""
    policy = evidence.policy
    names = policy.quasi_identifiers
    if not names:
        return None
    original = _coded(by_day(evidence.source.counts([*names, PERSON]), names), names)
    original = original.group_by(*names, PERSON).agg(pl.col("n").sum())
    released = counted.counts.group_by(*names, PERSON).agg(pl.col("n").sum())
    wanted = _wanted(policy, original[PERSON].n_unique(), None)
    table = evidence.population.get("risk")
    bound, linked = wanted.bound, wanted.linked
    return Risks(
        unit=policy.privacy_unit.name,
        # a table of the population is at released detail, so that only the release can be laid beside it
        before=picture(original, names, wanted),
        after=picture(released, names, _wanted(policy, original[PERSON].n_unique(), table)),
        attackers=tuple(
            AttackerRisk(
                attacker.name,
                attacker.knows,
                class_risk(original, attacker.knows, linked=linked, bound=attacker.max_risk or bound),
                class_risk(released, attacker.knows, linked=linked, bound=attacker.max_risk or bound),
            )
            for attacker in policy.attackers
        ),
        fraction=wanted.against.fraction,
        wild_diversity=_wild_diversity(policy, counted),
        population_lacking="risk" in policy.populations() and table is None,
    )


def _wild_diversity(
    policy: Policy, counted: ReleasedCounts
) -> dict[str, tuple[int, float, float, float | None]]:
    names = policy.quasi_identifiers
    if policy.privacy_unit.linked or not has_wild_cells(counted.counts, names):
        return {}
    found = {}
    for name in policy.sensitive:
        counts = counted.counts.group_by(*names, name).agg(pl.col("n").sum())
        measured = diversity_matched(counts, names, name)
        if measured is not None:
            found[name] = measured
    return found


def _coded(counts: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Texts as numbers in the order of the alphabet, which take a quarter of the memory; nulls stay."""
    texts = [name for name in names if counts.schema[name] == pl.String]
    return counts.with_columns(
        pl.col(name).cast(pl.Enum(counts[name].drop_nulls().unique().sort())).to_physical().alias(name)
        for name in texts
    )


def risk_metrics(risks: Risks | None, policy: Policy) -> list[Metric]:
    """Journalist and marketer risk, population uniques and known events, each beside its threshold."""
    if risks is None:
        return []
    return [*_population(risks, policy), *_events(risks, policy)]


def _population(risks: Risks, policy: Policy) -> list[Metric]:
    wanted, after = policy.thresholds, risks.after
    if risks.population_lacking:
        return [
            _unmeasured(name, limit, unit)
            for name, limit, unit in (
                ("journalist risk", wanted.journalist_risk, "probability"),
                ("marketer risk", wanted.marketer_risk, "share of people"),
                ("population uniques", wanted.population_uniques, "share of the population"),
            )
            if limit is not None
        ]
    found = []
    if after.journalist is not None:
        risk = after.journalist
        found.append(most(CHECK, "journalist risk", risk.maximum, wanted.journalist_risk, "probability"))
        found.append(most(CHECK, "marketer risk", risk.marketer, wanted.marketer_risk, "share of people"))
    limit, unit = wanted.population_uniques, "share of the population"
    if after.table_uniques is not None:
        found.append(most(CHECK, "population uniques", after.table_uniques, limit, unit))
    elif after.uniques is not None:
        found.append(
            _estimated(after.uniques.interval[1], after.uniques.by, after.uniques.share, limit, unit)
        )
    return found


def _estimated(upper: float, by: str, share: float, limit: float | None, unit: str) -> Metric:
    if not math.isfinite(upper):
        return _unmeasured("population uniques", limit, unit).model_copy(
            update={"passed": limit is None, "note": "the release has no people to estimate from"}
        )
    metric = most(CHECK, "population uniques", upper, limit, unit)
    how = f"upper end of the 95 % interval; {share:.4%} by {by}"
    return metric.model_copy(update={"note": "; ".join(filter(None, [metric.note, how]))})


def _events(risks: Risks, policy: Policy) -> list[Metric]:
    limit, unit = policy.thresholds.known_events_unique, "share of people"
    if not risks.after.events:
        asked = policy.risk is not None and policy.risk.known_events is not None
        lacking = asked and limit is not None
        return [_unmeasured("unique by known events", limit, unit, "nobody has a row")] if lacking else []
    worst = max(risks.after.events, key=lambda one: one.interval[1])
    metric = most(CHECK, "unique by known events", worst.interval[1], limit, unit)
    how = (
        f"{worst.known} known row{'s' if worst.known > 1 else ''}; upper end of the {CONFIDENCE:.0%} interval of"
        f" {worst.unique:.3f}, {worst.targets} people tried"
    )
    return [metric.model_copy(update={"note": "; ".join(filter(None, [metric.note, how]))})]


def _unmeasured(name: str, limit: float | None, unit: str, note: str = NO_POPULATION) -> Metric:
    return Metric(
        check=CHECK,
        name=name,
        value=None,
        threshold=limit,
        at_least=False,
        passed=False,
        unit=unit,
        note=note,
    )


def _wanted(policy: Policy, people: int, table: pl.DataFrame | None) -> Wanted:
    """people: of the source, whose share of the population is that of the release, too, but for suppression."""
    risk = policy.risk
    fraction = risk.population.fraction(people) if risk is not None and risk.population is not None else None
    return Wanted(
        bound=policy.thresholds.max_risk,
        linked=bool(policy.privacy_unit.linked),
        against=Against(fraction, table),
        events=(risk.known_events or 0) if risk is not None else 0,
        seed=risk.seed if risk is not None else 0,
    )
