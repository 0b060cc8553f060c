"""What statistics will cost and how exact they will be, from public facts alone: nothing here has seen a row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from anon_platform.dp.domain import Categories, Domain, Numbers
from anon_platform.dp.loss import Loss
from anon_platform.dp.noise import Noise, moved, noise_for, total
from anon_platform.dp.statistics.axes import Axis
from anon_platform.dp.statistics.conditions import require_condition
from anon_platform.dp.statistics.levels import Level, levels_of
from anon_platform.dp.statistics.settings import OF_NUMBERS, Condition, Statistic
from anon_platform.dp.statistics.steps import Steps, steps_of
from anon_platform.dp.threshold import Threshold, moves_of_people, threshold_for
from anon_platform.errors import BudgetError, PolicyError

MOST_CELLS = 500_000
"""Noisy numbers of one statistic: drawing so many takes seconds."""

ONE_OR_NONE = Numbers(kind="numbers", bounds=(0.0, 1.0))
"""What truth values and single categories are added up as."""


@dataclass(frozen=True)
class Planned:
    """A statistic with its public groups and its noise."""

    statistic: Statistic
    axes: tuple[Axis, ...]
    levels: tuple[Level, ...]
    """One level; more with consistent totals."""
    noises: tuple[Noise, ...]
    """Of rows, sums and squares in this order; of counts and sums one a level; of quantiles one a level of the tree."""
    steps: Steps | None = None
    """Of the column that is added up."""
    threshold: Threshold | None = None
    """With found keys: their noise and the count from which they are shown."""

    @property
    def cells(self) -> int | None:
        """Groups that are answered; None when the data names them."""
        return None if self.threshold else self.levels[0].cells

    @property
    def loss(self) -> Loss:
        """What it loses, as OpenDP proves it."""
        spent = total(self.noises)
        return spent + self.threshold.loss if self.threshold else spent


@dataclass(frozen=True)
class Plan:
    """Statistics of one release, the domains they are taken in, and the contribution bound that their noise is for."""

    statistics: tuple[Planned, ...]
    domains: Mapping[str, Domain]
    contribution: int

    @property
    def loss(self) -> Loss:
        """What all of them lose together; never more than what the plan was made for."""
        first, *others = (planned.loss for planned in self.statistics)
        return sum(others, start=first)


def plan_statistics(
    statistics: Sequence[Statistic],
    domains: Mapping[str, Domain],
    loss: Loss,
    contribution: int,
    people: int | None = None,
) -> Plan:
    """The plan, or why there is none; the loss is divided by the statistics' shares.

    domains: of every column that a statistic reads. people: how many the dataset is declared to have, in public; with it
    a loss is refused whose noise would drown a count of all of them. Raises `PolicyError` for what cannot be asked and
    `BudgetError` where the loss does not do.
    """
    if not statistics:
        raise PolicyError("no statistics; write at least one under statistics")
    if contribution < 1:
        raise BudgetError("a person has at least 1 row; state the contribution bound")
    if taken := {one.name for one in statistics if [other.name for other in statistics].count(one.name) > 1}:
        raise PolicyError(f"two statistics are called {min(taken)}; give each its own name")
    parts = _parts(statistics, domains, loss)
    planned = tuple(
        _planned(statistic, domains, part, contribution)
        for statistic, part in zip(statistics, parts, strict=True)
    )
    for one in planned:
        if people is not None and one.noises[0].half_width() > people * contribution * _unit(one):
            raise BudgetError(
                f"statistic {one.statistic.name}: its noise is larger than all {people:,} people together;"
                " raise ε or its share, or ask for less"
            )
    return Plan(planned, dict(domains), contribution)


def has_found_keys(statistic: Statistic, domains: Mapping[str, Domain]) -> bool:
    """Whether the data names its groups: the policy says so, of the statistic or of a column's domain."""
    found = (domains.get(column) for column in statistic.by)
    return statistic.keys == "found" or any(
        isinstance(one, Categories) and one.values == "found" for one in found
    )


def _parts(statistics: Sequence[Statistic], domains: Mapping[str, Domain], loss: Loss) -> list[Loss]:
    """By the shares; δ goes to those only whose keys are found."""
    parts = loss.parts([statistic.share for statistic in statistics])
    finding = [statistic for statistic in statistics if has_found_keys(statistic, domains)]
    deltas = dict(zip((one.name for one in finding), _deltas(finding, loss), strict=True))
    return [
        Loss(part.measure, part.units, deltas.get(statistic.name, 0))
        for statistic, part in zip(statistics, parts, strict=True)
    ]


def _deltas(finding: Sequence[Statistic], loss: Loss) -> list[int]:
    return [part.delta_units for part in loss.parts([one.share for one in finding])] if finding else []


def _planned(statistic: Statistic, domains: Mapping[str, Domain], loss: Loss, contribution: int) -> Planned:
    for column in sorted(statistic.columns):
        if column not in domains:
            raise PolicyError(
                f"statistic {statistic.name}: column {column} has no domain; write what it may hold under domains"
            )
    for condition in statistic.where:
        require_condition(statistic.name, condition, domains[condition.column])
    steps = _steps(statistic, domains)
    axes = tuple(Axis(column, domains[column]) for column in statistic.groups)
    threshold, left = None, Loss(loss.measure, loss.units)
    if has_found_keys(statistic, domains):
        _require_found(statistic, loss)
        finding, left = left.parts([1, 1])
        threshold = threshold_for(
            Loss(loss.measure, finding.units, loss.delta_units), moves_of_people(loss.measure, contribution)
        )
        levels: tuple[Level, ...] = (Level(()),)
    else:
        levels = _public_levels(statistic, axes, steps)
    places = contribution if threshold else min(contribution, levels[0].cells)
    noises = _noises(statistic, left, contribution, places, len(levels), steps)
    return Planned(statistic, axes, levels, noises, steps, threshold)


def _public_levels(statistic: Statistic, axes: tuple[Axis, ...], steps: Steps | None) -> tuple[Level, ...]:
    cells = prod(axis.size for axis in axes)
    most = MOST_CELLS // (steps.leaves if steps and statistic.measure == "quantiles" else 1)
    if cells > most:
        raise PolicyError(
            f"statistic {statistic.name}: {cells:,} groups, at most {most:,} are answered; name fewer columns under"
            " by, or coarser domains"
        )
    return levels_of(statistic, axes)


def _steps(statistic: Statistic, domains: Mapping[str, Domain]) -> Steps | None:
    if statistic.measure not in OF_NUMBERS or statistic.of is None:
        return None
    domain = domains[statistic.of]
    if statistic.category is not None and isinstance(domain, Categories):
        require_condition(statistic.name, Condition(column=statistic.of, equals=statistic.category), domain)
        return steps_of(ONE_OR_NONE)
    if isinstance(domain, Categories) and domain.values != "found" and set(domain.values) == {True, False}:
        domain = ONE_OR_NONE
    if not isinstance(domain, Numbers) or statistic.category is not None:
        raise PolicyError(
            f"statistic {statistic.name}: {statistic.measure} needs a column of numbers, or of true and false, with bounds;"
            f" write kind: numbers and bounds for {statistic.of}, or for categories the one that counts under category"
        )
    return steps_of(domain, statistic.bounds)


def _require_found(statistic: Statistic, loss: Loss) -> None:
    if statistic.measure == "histogram" or statistic.totals != "none":
        raise PolicyError(
            f"statistic {statistic.name}: histograms and totals need groups that are named in public; name the categories"
        )
    if loss.delta_units == 0:
        raise BudgetError(
            f"statistic {statistic.name}: keys that are found need a part of δ; state it, or name the keys in a domain"
        )


def _noises(
    statistic: Statistic, loss: Loss, contribution: int, places: int, levels: int, steps: Steps | None
) -> tuple[Noise, ...]:
    """Noise of each vector that is measured.

    A person's rows may all be in one group, so that `contribution` times what one row adds bounds L1 and L2; a person
    counts once in each of at most `places` groups.
    """
    if statistic.measure == "people":
        moves = [moved(loss.measure, places, 1)]
    elif statistic.measure in ("count", "histogram"):
        moves = [float(contribution)] * levels
    else:
        assert steps is not None
        if statistic.measure == "sum":
            moves = [float(contribution * steps.largest)] * levels
        elif statistic.measure == "quantiles":
            from anon_platform.dp.statistics.tree import tree_over

            moves = [float(contribution)] * len(tree_over(steps.leaves, loss.measure).widths)
        else:
            each = [1, steps.furthest, steps.largest_square]
            moves = [float(contribution * one) for one in each[: 3 if statistic.measure == "variance" else 2]]
    try:
        return tuple(
            noise_for(part, move) for part, move in zip(loss.parts([1] * len(moves)), moves, strict=True)
        )
    except BudgetError as error:
        raise BudgetError(f"statistic {statistic.name}: {error}") from None


def _unit(planned: Planned) -> int:
    """What one row adds to the first vector at most."""
    return planned.steps.largest if planned.steps and planned.statistic.measure == "sum" else 1
