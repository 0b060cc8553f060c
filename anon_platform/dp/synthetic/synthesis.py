"""The one door: a table in, a synthetic table out, within a privacy loss."""

import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anon_platform.dp.domain import Categories, Category, Dates, Domain, Numbers
from anon_platform.dp.loss import Loss
from anon_platform.dp.noise import Noise, noise_for
from anon_platform.dp.synthetic.by_opendp import learned_by_opendp, require_mbi
from anon_platform.dp.synthetic.coded import Column, Stepped, columns_of
from anon_platform.dp.synthetic.constraints import orders_of, values_of, zeros_of
from anon_platform.dp.synthetic.fit import Model
from anon_platform.dp.synthetic.found import BINS, is_sought, resolved
from anon_platform.dp.synthetic.junction import Scope, cells_of, junction_tree
from anon_platform.dp.synthetic.layout import EFFORTS, Layout, layout
from anon_platform.dp.synthetic.light import Learned, Progress, counted, learned
from anon_platform.dp.synthetic.settings import Synthesis
from anon_platform.errors import BudgetError, PolicyError

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

FINDING = 0.1
"""Share of the loss for domains that are found, where there are any."""

MOST_CELLS = 2_000_000
"""The largest table that is measured first."""


@dataclass(frozen=True)
class Synthetic:
    """A synthetic table and what it cost.

    measured: the noisy marginals, ready for JSON; noise is in every number. spent: what OpenDP proves that all
    measurements and choices lost together. fit_error: of each noisy marginal the total variation distance to the table,
    averaged over the marginals; noise_error: the distance that noise alone makes one expect.
    """

    table: "pl.DataFrame"
    measured: tuple[dict[str, Any], ...]
    spent: Loss
    fit_error: float
    noise_error: float


@dataclass(frozen=True)
class Expectation:
    """What a synthesis will measure and how well, known before any data is read.

    first: noise on each cell of the first marginals, which are `first_scopes`; later: on each cell of those that are
    chosen, `rounds` of them. one_way, with_target: per column the expected absolute error in rows of a cell, by noise
    alone; fits and what the model leaves out make it smaller or larger. finding: loss for the domains that are found.
    """

    first: Noise
    first_scopes: tuple[tuple[str, ...], ...]
    later: Noise | None
    rounds: int
    one_way: dict[str, float]
    with_target: dict[str, float]
    finding: Loss | None


def synthesize(
    frame: "pl.DataFrame",
    settings: Synthesis,
    domains: Mapping[str, Domain],
    required: AbstractSet[str],
    loss: Loss,
    contribution: int,
    rng: "np.random.Generator",
    progress: Progress = lambda _what, _share: None,
) -> Synthetic:
    """A table of the columns that have a domain, drawn anew. contribution: most rows of a person, bounded before.

    Nulls are a value of their own, but in `required` columns, which have none: there what is missing or unknown counts as
    the first of the domain. rng: draws rows from the released model, so that it need not be secret; noise is OpenDP's.
    Wrong settings raise `PolicyError` and a loss that is too small `BudgetError`, both before anything is measured.
    """
    check(settings, domains, required, dict(frame.schema))
    _planned(settings, domains, required, loss, contribution)
    finding, rest = _divided(domains, loss)
    losses: list[Loss] = []
    if finding is not None:
        progress("domains", 0.0)
        domains, losses = resolved(frame, domains, finding, contribution)
    columns = columns_of(dict(frame.schema), domains, required)
    zeros = zeros_of(settings.constraints, columns)
    sizes = [column.size for column in columns]
    target = list(domains).index(settings.target) if settings.target is not None else None
    effort = EFFORTS[settings.effort]
    plan = layout(sizes, target, list(zeros), rest, effort)
    progress("coding", 0.0)
    codes = coded(frame, columns)
    if settings.method == "light":
        found = learned(codes, plan, target, zeros, contribution, effort, rng, progress)
    else:
        found = learned_by_opendp(codes, sizes, target, zeros, settings.method, rest, contribution, rng)
    rows = settings.rows if settings.rows != "noisy" else round(found.model.rows)
    progress("drawing", 1.0)
    made = found.drawn(rows, rng)
    table = decoded(made, columns, settings, rng)
    fit, noise = errors(made, found)
    return Synthetic(table, described(found, columns), sum(losses, start=found.spent), fit, noise)


def expected(
    settings: Synthesis,
    domains: Mapping[str, Domain],
    required: AbstractSet[str],
    loss: Loss,
    contribution: int,
) -> Expectation:
    """What will be measured and how well; of domains that are found, for 16 categories or bins. Reads no data.

    Of the methods `mst` and `aim` it names what they measure first: half of the loss goes to the columns, and half of the
    rest to each with the target, where there is one.
    """
    plan, columns = _planned(settings, domains, required, loss, contribution)
    finding, granted = _divided(domains, loss)
    if settings.method != "light":
        return _expected_of_opendp(settings, columns, granted, contribution, finding)
    first = noise_for(plan.first_loss, contribution)
    later = noise_for(plan.later_loss, contribution) if plan.rounds else None
    mean = _mean(first)
    names = [column.name for column in columns]
    size = {column.name: column.size for column in columns}
    target = settings.target
    with_target = {name: mean for name in names if name != target} if target is not None else {}
    if target is None or len(names) == 1:
        one_way = dict.fromkeys(names, mean)
    else:
        one_way = {name: mean * math.sqrt(size[target]) for name in names if name != target}
        rest = [size[name] for name in names if name != target]
        one_way[target] = mean / math.sqrt(sum(1 / other for other in rest))
    scopes = tuple(tuple(names[at] for at in scope) for scope in plan.first)
    return Expectation(first, scopes, later, plan.rounds, one_way, with_target, finding)


def _expected_of_opendp(
    settings: Synthesis, columns: tuple[Column, ...], loss: Loss, contribution: int, finding: Loss | None
) -> Expectation:
    names = [column.name for column in columns]
    ones, pairs = loss.parts([1.0, 1.0])
    first = noise_for(ones.parts([1.0] * len(names))[0], contribution)
    with_target = {}
    if settings.target is not None and len(names) > 1:
        part = pairs.parts([1.0, 1.0])[0].parts([1.0] * (len(names) - 1))[0]
        mean = _mean(noise_for(part, contribution))
        with_target = {name: mean for name in names if name != settings.target}
    one_way = dict.fromkeys(names, _mean(first))
    return Expectation(first, tuple((name,) for name in names), None, 0, one_way, with_target, finding)


def check(
    settings: Synthesis,
    domains: Mapping[str, Domain],
    required: AbstractSet[str],
    schema: "Mapping[str, pl.DataType] | None" = None,
) -> tuple[Column, ...]:
    """The columns as they will be coded. Raises `PolicyError` where settings, domains and schema do not fit each other."""
    if not domains:
        raise PolicyError("synthesis: no column has a domain; write one for each column of the table")
    if settings.target is not None and settings.target not in domains:
        raise PolicyError(
            f"synthesis: the target {settings.target} has no domain; the columns are {', '.join(sorted(domains))}"
        )
    if unknown := sorted(set(required) - set(domains)):
        raise PolicyError(
            f"synthesis: required columns without a domain: {', '.join(unknown)}; write their domains"
        )
    public = {name: _stand_in(domain, (schema or {}).get(name)) for name, domain in domains.items()}
    columns = columns_of(schema if schema is not None else _types(public), public, required)
    sought = {
        name for name, domain in domains.items() if isinstance(domain, Categories) and is_sought(domain)
    }
    for one in settings.constraints:
        if about := sorted(sought & set(one.columns)):
            raise PolicyError(
                f"constraints: the categories of column {about[0]} are found; name them to state what holds for them"
            )
    zeros = zeros_of(settings.constraints, columns)
    # refuses what no row can fulfil
    Model(junction_tree(zeros, [column.size for column in columns]), {}, zeros, 1.0).cliques()
    return columns


def coded(frame: "pl.DataFrame", columns: tuple[Column, ...]) -> "NDArray[np.int32]":
    """The codes of all columns: one line a column."""
    import numpy as np

    codes = np.empty((len(columns), frame.height), np.int32)
    for at, column in enumerate(columns):
        codes[at] = column.encoded(frame[column.name])
    return codes


def decoded(
    codes: "NDArray[np.int32]", columns: tuple[Column, ...], settings: Synthesis, rng: "np.random.Generator"
) -> "pl.DataFrame":
    """The table that codes stand for: within a bin any step is as likely, but for what constraints order."""
    import polars as pl

    steps = values_of(codes, columns, orders_of(settings.constraints, columns), rng)
    return pl.DataFrame(
        [
            column.decoded(steps[at], codes[at] == column.missing)
            if isinstance(column, Stepped)
            else column.decoded(codes[at])
            for at, column in enumerate(columns)
        ]
    )


def errors(made: "NDArray[np.int32]", found: Learned) -> tuple[float, float]:
    """The mean distance of the noisy marginals to the table's, and to what they would be without noise."""
    import numpy as np

    if not made.shape[1]:
        return 0.0, 0.0
    rows, merging = found.model.rows, found.merging
    old = [len(place) for place in merging.places]
    fits, noises = [], []
    for taken, codes, sizes in ((found.first, made, old), (found.later, merging.merged(made), merging.sizes)):
        for one in taken:
            table = counted(codes, one.scope, sizes) / made.shape[1]
            fits.append(float(np.abs(one.counts / rows - table).sum()) / 2)
            noises.append(one.counts.size * _mean(one.noise) / rows / 2)
    return float(np.mean(fits)), float(np.mean(noises))


def described(found: Learned, columns: tuple[Column, ...]) -> tuple[dict[str, Any], ...]:
    """The noisy marginals, ready for JSON; every number in it is noisy or known without the data.

    codes: per column the code in the marginal of each code of the domain, where rare ones share one.
    """
    told = []
    for at, one in enumerate((*found.first, *found.later)):
        merged = at >= len(found.first)
        places = {columns[column].name: found.merging.places[column].tolist() for column in one.scope}
        told.append(
            {
                "columns": [columns[column].name for column in one.scope],
                "shape": list(one.counts.shape),
                "codes": places if merged else None,
                "noise": "gaussian" if one.noise.measure == "zcdp" else "laplace",
                "scale": one.noise.scale,
                "loss": {"measure": one.noise.measure, "units": one.noise.loss.units},
                "cells": one.counts.ravel().tolist(),
            }
        )
    return tuple(told)


def _planned(
    settings: Synthesis,
    domains: Mapping[str, Domain],
    required: AbstractSet[str],
    loss: Loss,
    contribution: int,
) -> tuple[Layout, tuple[Column, ...]]:
    """The layout with stand-ins for what is found; what is refused, is refused here."""
    if settings.method != "light":
        require_mbi(settings.method)
    if contribution < 1:
        raise BudgetError("a person has at least one row; state the contribution bound")
    columns = check(settings, domains, required)
    finding, rest = _divided(domains, loss)
    if (
        finding is not None
        and not finding.delta_units
        and any(isinstance(domain, Categories) and is_sought(domain) for domain in domains.values())
    ):
        raise BudgetError(
            "categories that are found need a part of δ, which is 0; name the categories or grant a part of δ to keys"
        )
    sizes = [column.size for column in columns]
    target = list(domains).index(settings.target) if settings.target is not None else None
    plan = layout(
        sizes, target, list(zeros_of(settings.constraints, columns)), rest, EFFORTS[settings.effort]
    )
    for scope in plan.first:
        _require_small(scope, columns)
    if plan.first_loss.units == 0 or (
        plan.rounds and min(plan.choice_loss.units, plan.later_loss.units) == 0
    ):
        raise BudgetError(
            f"the privacy loss is too small for {len(plan.first)} marginals and {plan.rounds} choices; raise ε or"
            " synthesize fewer columns"
        )
    return plan, columns


def _require_small(scope: Scope, columns: tuple[Column, ...]) -> None:
    cells = cells_of(scope, [column.size for column in columns])
    if cells > MOST_CELLS:
        names = " and ".join(columns[at].name for at in scope)
        raise PolicyError(
            f"synthesis: {names} have {cells:,} combinations of bins or categories, more than {MOST_CELLS:,};"
            " write wider bins or fewer categories"
        )


def _divided(domains: Mapping[str, Domain], loss: Loss) -> tuple[Loss | None, Loss]:
    """The loss for finding domains, δ included, and what is left."""
    if not any(is_sought(domain) for domain in domains.values()):
        return None, Loss(loss.measure, loss.units)
    finding, rest = Loss(loss.measure, loss.units).parts([FINDING, 1 - FINDING])
    return Loss(loss.measure, finding.units, loss.delta_units), rest


def _stand_in(domain: Domain, dtype: "pl.DataType | None") -> Domain:
    """A domain like one that may be found."""
    if isinstance(domain, Categories) and is_sought(domain):
        values: tuple[Category, ...] = tuple(f"category {at}" for at in range(BINS))
        if dtype is not None and dtype.is_integer():
            values = tuple(range(BINS))
        elif str(dtype) == "Boolean":
            values = (False, True)
        return domain.model_copy(update={"values": values})
    if isinstance(domain, Numbers) and is_sought(domain):
        return domain.model_copy(update={"bins": BINS})
    return domain


def _types(domains: Mapping[str, Domain]) -> "dict[str, pl.DataType]":
    """Types that fit the domains."""
    import polars as pl

    def of(domain: Domain) -> pl.DataType:
        if isinstance(domain, Numbers):
            return pl.Float64()
        if isinstance(domain, Dates):
            return pl.Date()
        kinds = {str: pl.String(), bool: pl.Boolean(), int: pl.Int64()}
        return kinds[type(domain.values[0])]

    return {name: of(domain) for name, domain in domains.items()}


def _mean(noise: Noise) -> float:
    """The expected absolute value."""
    return noise.scale * math.sqrt(2 / math.pi) if noise.measure == "zcdp" else noise.scale
