"""One setting tried: the search on counts, then risk and loss of the rows that would leave; no file is written."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from anon_platform.anonymize.k_anonymity import Fitted
from anon_platform.anonymize.local import Recoded
from anon_platform.errors import PolicyError
from anon_platform.frequency import SEQUENCE, classes, k_of, l_of, risk_of, sequence_classes, t_of
from anon_platform.frontier.point import Point
from anon_platform.frontier.prepared import CODE, ORIGINAL, Prepared
from anon_platform.frontier.sweep import Setting
from anon_platform.pipeline.recoding import KEPT, Recoding
from anon_platform.pipeline.treating import fit_counts
from anon_platform.pipeline.treatments import silent
from anon_platform.policy import Policy
from anon_platform.table import PERSON
from anon_platform.validate.prediction.loss import Trained, trained
from anon_platform.validate.utility.distances import total_variation_of


@dataclass(frozen=True)
class Measuring:
    """The rows that every setting is tried on."""

    prepared: Prepared

    @cached_property
    def counts(self) -> pl.DataFrame:
        """What the search counts."""
        policy = self.prepared.policy
        columns = [*policy.quasi_identifiers, *policy.sensitive, PERSON]
        return self.prepared.rows.group_by(columns).agg(n=pl.len())

    @cached_property
    def original_model(self) -> Trained | str | None:
        """The model of the original rows, trained once for all settings; None where none is wanted."""
        model, rows = self.prepared.policy.model, self.prepared.model
        if model is None or rows is None:
            return None
        names = [*model.features, model.target.column]
        return trained(rows.select(PERSON, *[pl.col(ORIGINAL + name).alias(name) for name in names]), model)

    def point(self, setting: Setting) -> Point:
        """What the setting gives."""
        wished = setting.of(self.prepared.policy)
        try:
            found = fit_counts(wished, self.counts, self.prepared.hierarchies, silent)
        except PolicyError as impossible:
            return Point(setting=setting, reason=str(impossible))
        rows = released(self.prepared.rows, found)
        kept = rows.filter(KEPT)
        loss = found.solution.information_loss if isinstance(found, Fitted) else found.information_loss
        distance, worst = self._distance(rows)
        point = Point(
            setting=setting,
            levels=found.levels if isinstance(found, Fitted) else {},
            suppressed=1 - kept.height / max(rows.height, 1),
            information_loss=loss,
            distance=distance,
            distance_of=worst,
        )
        point = point.model_copy(update=_risk(kept, wished))
        return self._with_model(point, found)

    def _distance(self, rows: pl.DataFrame) -> tuple[float, str]:
        """The largest total variation of a column at released detail, and the column."""
        left = rows[KEPT].to_numpy()
        found = {}
        for name in rows.columns:
            if name.startswith(CODE):
                found[name.removeprefix(CODE)] = _moved(rows[name].to_numpy().astype(np.int64), left)
        for name in self.prepared.policy.quasi_identifiers:
            codes = rows[name].rank("dense").fill_null(0).to_numpy().astype(np.int64)
            found[name] = _moved(codes, left)
        worst = max(found, key=lambda name: found[name])
        return found[worst], worst

    def _with_model(self, point: Point, found: Fitted | Recoded) -> Point:
        before, model, rows = self.original_model, self.prepared.policy.model, self.prepared.model
        if not isinstance(before, Trained) or model is None or rows is None:
            return point
        names = [*model.features, model.target.column]
        labels = released(rows, found)
        after = before.beside(
            labels.filter(KEPT).select(PERSON, *names), labels.select(PERSON, *names), model
        )
        if isinstance(after, str):
            return point
        return point.model_copy(update={"model_loss": after[0], "model_interval": after[1]})


def released(rows: pl.DataFrame, found: Fitted | Recoded) -> pl.DataFrame:
    """The rows with their labels, and in KEPT whether they would leave."""
    if isinstance(found, Recoded):
        return Recoding.of(found).release(rows)
    labelled = rows.with_columns(found.treat[name](rows[name]).alias(name) for name in found.levels)
    kept = found.keep(labelled.with_row_index("__at"))["__at"] if found.levels else None
    flags = np.zeros(rows.height, dtype=bool)
    if kept is not None:
        flags[kept.to_numpy()] = True
    return labelled.with_columns(pl.Series(KEPT, flags))


def _moved(codes: np.ndarray, left: np.ndarray) -> float:
    size = int(codes.max(initial=0)) + 1
    before = np.bincount(codes, minlength=size).astype(np.float64)
    after = np.bincount(codes[left], minlength=size).astype(np.float64)
    if not before.sum() or not after.sum():
        return 1.0
    return total_variation_of(before / before.sum(), after / after.sum())


def _risk(kept: pl.DataFrame, policy: Policy) -> dict[str, object]:
    """Measures of the rows that would leave, counted in people, as of a release."""
    names, sensitive = list(policy.quasi_identifiers), policy.sensitive
    counts = kept.group_by(*names, *sensitive, PERSON).agg(n=pl.len())
    if policy.privacy_unit.linked:
        counts = counts.join(sequence_classes(counts, names, PERSON, "n"), on=PERSON, how="left")
        names = [SEQUENCE, *names]
    of_classes = classes(counts, names, person=PERSON, sensitive=sensitive)
    risk = risk_of(of_classes)
    return {
        "k": k_of(of_classes),
        "max_risk": risk.maximum,
        "mean_risk": risk.mean,
        "unique_records": risk.unique_share,
        "l": {name: l_of(of_classes, name) for name in sensitive},
        "t": {name: t_of(counts, names, name) for name in sensitive},
    }
