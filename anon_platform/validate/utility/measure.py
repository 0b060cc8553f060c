"""Everything about the usefulness of a release but the model: what is measured, and the measures beside their limits."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from anon_platform.policy import Utility
from anon_platform.validate.evidence import Evidence
from anon_platform.validate.metric import Metric
from anon_platform.validate.utility.columns import ColumnUtility, measure_column
from anon_platform.validate.utility.compared import Compared, compared
from anon_platform.validate.utility.fidelity import ColumnFidelity
from anon_platform.validate.utility.information_loss import InformationLoss, measure_information_loss
from anon_platform.validate.utility.limits import Limits
from anon_platform.validate.utility.several import measure_together, together_metrics

SMALL_CELL = 11
"""Records that a cell of a picture needs where the policy has no k (CMS cell size suppression policy)."""


@dataclass(frozen=True)
class Usefulness:
    """What was measured. fidelity: by column, at released detail."""

    fidelity: list[ColumnFidelity]
    columns: list[ColumnUtility]
    loss: InformationLoss | None
    together: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Numbers for the report, without a value of the data."""
        return {
            "columns": [asdict(column) for column in self.columns],
            "information_loss": None if self.loss is None else asdict(self.loss),
            **{name: part if part is None else asdict(part) for name, part in self.together.items()},
        }


def measure_utility(evidence: Evidence, *, say: Callable[[str], None]) -> Usefulness:
    """Columns and information loss of every release; what takes longer where the policy has a section utility."""
    utility = evidence.policy.utility
    cell = max(evidence.policy.thresholds.k or 0, SMALL_CELL)
    fidelity: list[ColumnFidelity] = []
    columns: list[ColumnUtility] = []
    kept: dict[str, Compared] = {}
    names = set(evidence.policy.released if utility is not None else evidence.policy.quasi_identifiers)
    for column in compared(evidence):
        fidelity.append(column.fidelity)
        columns.append(measure_column(column, cell))
        if column.name in names:
            kept[column.name] = column
    say("information loss")
    loss = measure_information_loss(evidence, kept)
    together = measure_together(evidence, utility, kept, say) if utility is not None else {}
    return Usefulness(fidelity, columns, loss, together)


def utility_metrics(found: Usefulness, utility: Utility | None) -> list[Metric]:
    """The measures beside the limits of the policy; a limit that cannot be measured is missed."""
    limits = Limits(utility)
    return [
        *_of_columns(found.columns, limits),
        *(together_metrics(found.together, limits) if utility is not None else ()),
        *_of_loss(found.loss, limits),
    ]


def _of_loss(loss: InformationLoss | None, limits: Limits) -> Iterator[Metric]:
    check, unit = "information_loss", "share of detail"
    value = None if loss is None else loss.loss
    yield from limits.beside("information_loss", check, "information loss", value, unit)
    if loss is not None:
        yield from limits.beside(None, check, "certainty lost", loss.gcp, unit)
        yield from limits.beside(None, check, "precision lost", 1 - loss.precision, unit)


def _of_columns(columns: list[ColumnUtility], limits: Limits) -> Iterator[Metric]:
    known = [column for column in columns if column.original is not None]
    worst = max(known, key=lambda column: column.original.total_variation, default=None)  # type: ignore[union-attr]
    value = None if worst is None or worst.original is None else worst.original.total_variation
    note = f"column {worst.name}" if worst is not None else ""
    name = "largest column distance at original detail"
    yield from limits.beside(
        "detail_distance", "statistical_fidelity", name, value, "total variation", note=note
    )
