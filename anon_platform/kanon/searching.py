"""The search that was asked for, on the frequency table: what every combination of values leaves as, at what loss."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import polars as pl

from anon_platform.anonymize.hierarchy import CsvHierarchy
from anon_platform.anonymize.hierarchy.levels import SUPPRESSED
from anon_platform.errors import PolicyError
from anon_platform.kanon.counting import Counts
from anon_platform.kanon.losing import level_losses
from anon_platform.kanon.request import Request

Progress = Callable[[str, int, int], None]
Hierarchies = Mapping[str, CsvHierarchy]

OPTIONS = {"thresholds.suppressed_records": "--suppression", "thresholds.k": "--k", "caps: column": "--cap:"}


@dataclass(frozen=True)
class Found:
    """What a search found.

    labels: one row a combination of `Counts.texts`: labels of the quasi-identifiers, and `kept`.
    loss: as it was searched for, with weights; information_loss: ARX's Loss, all quasi-identifiers alike.
    by_column: the part of each quasi-identifier in that, 0 to 1. solution: what new rows are treated by. facts: what else
    there is to tell, as of a full search the levels and how good it is proven to be.
    """

    labels: pl.DataFrame
    loss: float
    information_loss: float
    by_column: dict[str, float]
    solution: dict[str, Any]
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def stars_are_a_class(self) -> bool:
        """Whether a class that may leave is `*` in every quasi-identifier."""
        kept = self.labels.filter("kept").drop("kept")
        return bool(kept.select(pl.all_horizontal(pl.all().eq_missing(SUPPRESSED)).any()).item())


def require_possible(counts: Counts, request: Request) -> None:
    """Refuses what no generalization can reach, saying what can be."""
    people = counts.people(request.columns.person)
    if request.k > people:
        raise PolicyError(
            f"--k {request.k}: there are {people:,} people in the data; write --k {people} or less"
        )


def search(
    counts: Counts, hierarchies: Hierarchies, request: Request, progress: Progress | None = None
) -> Found:
    """What is found by the model that was asked for; demands that cannot be met raise `PolicyError`."""
    require_possible(counts, request)
    try:
        if request.model == "full":
            return _full(counts, hierarchies, request, progress)
        return _local(counts, hierarchies, request, progress)
    except PolicyError as fault:
        told = str(fault)
    # the search names keys of a policy; here they are options
    for key, option in OPTIONS.items():
        told = told.replace(key, option)
    raise PolicyError(told)


def _asked(request: Request) -> dict[str, Any]:
    """What both models are asked for."""
    return {
        "person": request.columns.person,
        "sensitive": dict.fromkeys(request.columns.sensitive, request.sensitive_models()),
        "k": request.k,
        "suppressed_share": request.suppression,
        "weights": request.weights or None,
        "caps": request.caps or None,
    }


def _full(counts: Counts, hierarchies: Hierarchies, request: Request, progress: Progress | None) -> Found:
    from anon_platform.anonymize.k_anonymity import solve

    fitted = solve(
        counts.table,
        hierarchies,
        **_asked(request),
        seconds=request.seconds,
        progress=None if progress is None else partial(progress, "searching levels"),
    )
    found = fitted.solution
    labels = fitted.release(counts.texts)
    return Found(
        labels,
        found.loss,
        found.information_loss,
        level_losses(counts, labels["kept"], hierarchies, fitted.levels),
        {"levels": fitted.levels, "classes": fitted.kept.rows()},
        {
            "levels": fitted.levels,
            "proven": found.proven,
            "lower_bound": found.lower_bound,
            "evaluated": found.evaluated,
            "nodes": found.nodes,
        },
    )


def _local(counts: Counts, hierarchies: Hierarchies, request: Request, progress: Progress | None) -> Found:
    from anon_platform.anonymize.local import recode

    recoded = recode(
        counts.table,
        hierarchies,
        **_asked(request),
        output="intervals" if request.model == "intervals" else "hierarchy",
        effort=request.effort or "best",
        progress=progress,
    )
    return Found(
        recoded.release(counts.texts),
        recoded.loss,
        recoded.information_loss,
        recoded.by_column,
        recoded.solution(),
    )
