"""Domains that the data names: categories of enough rows, and bins of about equal share; both paid for."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from anon_platform.dp.domain import Categories, Domain, Numbers
from anon_platform.dp.loss import Loss
from anon_platform.dp.noise import noise_for
from anon_platform.dp.threshold import Threshold, moves_of_rows, threshold_for

if TYPE_CHECKING:
    import polars as pl

BINS = 16
"""Bins of a column whose bins are found, at most."""

FINE = 256
"""Bins of equal width in which the shares are counted."""

NAMED = 200
"""Categories that are named, at most: those of the greatest noisy counts."""


def is_sought(domain: Domain) -> bool:
    """Whether a part of the domain is left to the data."""
    return (isinstance(domain, Categories) and domain.values == "found") or (
        isinstance(domain, Numbers) and domain.bins == "found"
    )


def resolved(
    frame: "pl.DataFrame", domains: Mapping[str, Domain], loss: Loss, contribution: int
) -> tuple[dict[str, Domain], list[Loss]]:
    """The domains with what is found filled in, and what each finding has lost. loss: for all of them together.

    Categories come in the order of their names. Where none has enough rows, a category of that name is left that no row has.
    """
    sought = [name for name, domain in domains.items() if is_sought(domain)]
    named = [name for name in sought if isinstance(domains[name], Categories)]
    units = Loss(loss.measure, loss.units).parts([1.0] * len(sought))
    deltas = loss.parts([1.0] * len(named)) if named else ()
    found, losses = dict(domains), []
    for name, part in zip(sought, units, strict=True):
        domain = domains[name]
        if isinstance(domain, Categories):
            granted = Loss(loss.measure, part.units, deltas[0].delta_units)
            threshold = threshold_for(granted, moves_of_rows(contribution))
            found[name] = _named(frame[name], domain, threshold)
            losses.append(threshold.loss)
        elif isinstance(domain, Numbers):
            found[name], lost = _binned(frame[name], domain, part, contribution)
            losses.append(lost)
    return found, losses


def _named(values: "pl.Series", domain: Categories, threshold: Threshold) -> Categories:
    import polars as pl

    text = values.cast(pl.String).alias("value").drop_nulls()
    counts = text.value_counts(name="n").filter(pl.col("value") != (domain.other or ""))
    exact = dict(zip(counts["value"].to_list(), counts["n"].to_list(), strict=True))
    noisy = threshold.shown(exact)
    names = sorted(sorted(noisy, key=noisy.__getitem__)[-NAMED:])
    if values.dtype == pl.Boolean:
        return domain.model_copy(update={"values": tuple(name == "true" for name in names) or (False,)})
    if values.dtype.is_integer():
        return domain.model_copy(update={"values": tuple(sorted(int(name) for name in names)) or (0,)})
    return domain.model_copy(update={"values": tuple(names) or ("",)})


def _binned(values: "pl.Series", domain: Numbers, loss: Loss, contribution: int) -> tuple[Numbers, Loss]:
    """Bins of about equal share, as noisy counts of fine bins say."""
    import numpy as np
    import polars as pl

    low, high = domain.bounds
    noise = noise_for(loss, contribution)
    numbers = values.cast(pl.Float64).to_numpy()
    numbers = np.clip(numbers[np.isfinite(numbers)], low, high)
    # bins no finer than the steps
    fine = min(FINE, max(1, round((high - low) / domain.step)))
    edges = low + (high - low) / fine * np.arange(1, fine)
    exact = np.bincount(np.searchsorted(edges, numbers, side="right"), minlength=fine)
    noisy = noise.added_to(exact).astype(float)
    # a part of the noise is positive: what is within two deviations of nothing counts as nothing
    shares = np.where(noisy > 2 * noise.deviation, noisy, 0.0)
    if not shares.sum():
        return domain.model_copy(update={"bins": BINS}), noise.loss
    sums = np.concatenate([[0.0], np.cumsum(shares) / shares.sum()])[:-1]
    wanted = np.unique(np.floor(sums * BINS + 1e-9), return_index=True)[1]
    starts = tuple(float(edges[at - 1]) for at in wanted if at > 0)
    return domain.model_copy(update={"bins": starts or 1}), noise.loss
