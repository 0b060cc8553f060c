"""What generalization and suppression cost, by the measures of the literature, on the labels that leave.

A table of labels is one column's: `label`, `n` records and what one record loses by it. Suppressed records are beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from anon_platform.anonymize.hierarchy import Ladder
from anon_platform.table import ROW
from anon_platform.validate.evidence import Evidence
from anon_platform.validate.files import read_released
from anon_platform.validate.utility.compared import LABEL, VALUE, Compared, in_numbers

LEVEL, LOSS, NCP = "level", "loss", "ncp"


@dataclass(frozen=True)
class ColumnLoss:
    """What an average record loses in one column, a suppressed one 1; 0 to 1 each.

    loss: ARX's Loss. ncp: normalized certainty penalty. precision_lost: 1 − Sweeney's precision. entropy: non-uniform
    entropy over that of the original; None where the column had one value only.
    """

    name: str
    loss: float
    ncp: float
    precision_lost: float
    entropy: float | None


@dataclass(frozen=True)
class InformationLoss:
    """loss, gcp, precision: over all quasi-identifiers. discernibility: see `discernibility`, over the square of the records.

    average_class: see `average_class_size`; None without k or records.
    """

    loss: float
    gcp: float
    precision: float
    discernibility: float
    average_class: float | None
    columns: tuple[ColumnLoss, ...]


def measure_information_loss(evidence: Evidence, columns: Mapping[str, Compared]) -> InformationLoss | None:
    """Of the quasi-identifiers; None where there are none, or their hierarchies are not known here."""
    names = [name for name in evidence.policy.quasi_identifiers if name in columns]
    if not names or set(names) - set(evidence.ladders):
        return None
    suppressed = len(evidence.suppressed)
    gone = _suppressed_rows(evidence, names)
    found = [_of_column(evidence, columns[name], suppressed, gone[name]) for name in names]
    released = read_released(evidence.data, names).group_by(names, maintain_order=True).agg(n=pl.len())["n"]
    rows = evidence.source.rows
    return InformationLoss(
        float(np.mean([column.loss for column in found])),
        float(np.mean([column.ncp for column in found])),
        1 - float(np.mean([column.precision_lost for column in found])),
        discernibility(released, suppressed) / rows**2 if rows else 0.0,
        average_class_size(released, evidence.policy.thresholds.k),
        tuple(found),
    )


def average_loss(labels: pl.DataFrame, of: str, suppressed: int) -> float:
    """What an average record loses by `of`, 0 to 1: (Σ n × loss + suppressed) / records.

    Source of Loss: Iyengar 2002, section 4.1, as ARX counts it: (leaves covered − 1) / (leaves − 1). Of NCP: Xu et al.
    2006, section 3.1; its mean over cells is the GCP of Ghinita et al. 2007, section 3. Of precision: Sweeney 2002,
    definition 3: Σ level / height.

    >>> average_loss(pl.DataFrame({"n": [6, 2], "loss": [0.25, 0.5]}), "loss", 2)
    0.45
    """
    records = int(labels["n"].sum()) + suppressed
    lost = float((labels["n"] * labels[of]).sum()) + suppressed
    return lost / records if records else 0.0


def discernibility(classes: pl.Series, suppressed: int) -> float:
    """Σ |E|² over the classes that leave, and |D| for each suppressed record; in records².

    classes: records of each. Source: Bayardo, Agrawal 2005, section 2.1, equation 1.

    >>> discernibility(pl.Series([3, 2]), 1)
    19.0
    """
    sizes = classes.cast(pl.Float64)
    return float((sizes**2).sum()) + suppressed * (float(sizes.sum()) + suppressed)


def average_class_size(classes: pl.Series, k: int | None) -> float | None:
    """Normalized average class size: (records / classes) / k; 1 is the best there can be.

    Source: LeFevre, DeWitt, Ramakrishnan 2006, section 2.3.

    >>> average_class_size(pl.Series([6, 4]), 5)
    1.0
    """
    if not len(classes) or not k:
        return None
    return float(classes.sum()) / len(classes) / k


def entropy_lost(values: pl.DataFrame) -> float | None:
    """Non-uniform entropy lost over the entropy that the column had, 0 to 1; None where it had none.

    values: `value`, `label`, `n` records that became it, and `kept`: whether they leave. A record loses −log₂ of the
    share that its value has among the records with its label; when it is suppressed, besides, −log₂ of the share that
    this label has among the suppressed. The whole is Σ −log₂ of the share of each value in the table.
    Source: De Waal, Willenborg 1999; with suppression as Prasser, Bild, Kuhn 2016, section 2.
    """
    total = float(values["n"].sum())
    if not total:
        return None
    by_value = values.group_by(VALUE, LABEL, maintain_order=True).agg(pl.col("n").sum())
    alone = (
        by_value.group_by(VALUE, maintain_order=True).agg(pl.col("n").sum())["n"].cast(pl.Float64).to_numpy()
    )
    whole = -float((alone * np.log2(alone / total)).sum())
    if not whole:
        return None
    inside = by_value.with_columns(of=pl.col("n").sum().over(LABEL))
    lost = -_bits(inside["n"], inside["of"])
    gone = values.remove(pl.col("kept")).group_by(LABEL, maintain_order=True).agg(pl.col("n").sum())
    if gone.height:
        lost -= _bits(gone["n"], pl.Series([float(gone["n"].sum())] * gone.height))
    return lost / whole


def _bits(part: pl.Series, of: pl.Series) -> float:
    shares = part.cast(pl.Float64).to_numpy() / of.cast(pl.Float64).to_numpy()
    return float((part.cast(pl.Float64).to_numpy() * np.log2(shares)).sum())


def _of_column(evidence: Evidence, column: Compared, suppressed: int, gone: pl.Series) -> ColumnLoss:
    built = evidence.ladders[column.name]
    labels = priced(column, built, evidence.levels.get(column.name))
    return ColumnLoss(
        column.name,
        average_loss(labels, LOSS, suppressed),
        average_loss(labels, NCP, suppressed),
        average_loss(labels, LEVEL, suppressed),
        entropy_lost(became(column, gone)),
    )


def priced(column: Compared, built: Ladder, level: str | None) -> pl.DataFrame:
    """The released labels with `loss`, `ncp` and `level` (over the height of the hierarchy) of each, 0 to 1.

    level: the one level of all; None where a column has labels of several. Then a label stands for the finest level that
    has it, as in ARX; an interval or a set, which no level has, covers the values that it names, and counts as the share
    of the way up that its loss is.
    """
    known = _of_levels(built, level)
    ncp = _certainty(column)
    found = column.after.join(known, on=LABEL, how="left", nulls_equal=True, maintain_order="left").join(
        ncp, on=LABEL, how="left", nulls_equal=True
    )
    most = max(built.leaves - 1, 1)
    named = (pl.col("covered") - 1) / most if built.leaves > 1 else pl.lit(0.0)
    found = found.with_columns(pl.col(LOSS).fill_null(named).fill_null(1.0))
    return found.with_columns(
        pl.col(LEVEL).fill_null(pl.col(LOSS)),
        # a single value is known for sure; of categories the share of leaves counts, of numbers the width
        pl.when(pl.col(LOSS) == 0)
        .then(0.0)
        .otherwise(pl.col("width") if column.numeric else (pl.col(LOSS) * most + 1) / built.leaves)
        .fill_null(1.0)
        .alias(NCP),
    )


def _of_levels(built: Ladder, level: str | None) -> pl.DataFrame:
    at = range(built.height) if level is None else [built.names.index(level)]
    height = max(built.height - 1, 1)
    parts = [
        pl.DataFrame({LABEL: built.labels[i], LOSS: built.loss(i)}).with_columns(
            pl.lit(i / height).alias(LEVEL)
        )
        for i in at
    ]
    return pl.concat(parts).unique(LABEL, keep="first", maintain_order=True)


def _certainty(column: Compared) -> pl.DataFrame:
    """For each label how many values it covers, and of numbers the width of their span over that of the column."""
    covered = column.covers.group_by(LABEL, maintain_order=True).agg(covered=pl.len())
    if not column.numeric:
        return covered.with_columns(width=pl.lit(None, pl.Float64))
    spans = column.spans
    low, high = spans["low"].min(), spans["high"].max()
    whole = float(high) - float(low) if low is not None and high is not None else 0.0  # type: ignore[arg-type]
    width = (pl.col("high") - pl.col("low")) / whole if whole else pl.lit(0.0)
    return covered.join(
        spans.select(LABEL, width=width), on=LABEL, how="left", nulls_equal=True, maintain_order="left"
    )


def became(column: Compared, gone: pl.Series) -> pl.DataFrame:
    """`value`, `label`, `n`, `kept` of one column, as `entropy_lost` wants them.

    gone: the original values of the suppressed records, which have the label here that they would have had; empty where
    a label shows that.
    """
    everybody = column.before.select(VALUE, LABEL, pl.col("n").cast(pl.Int64))
    lost = (
        pl.DataFrame({VALUE: in_numbers(gone)})
        .group_by(VALUE, maintain_order=True)
        .agg(gone=pl.len().cast(pl.Int64))
    )
    # values have one label each where anything is suppressed as a whole
    both = everybody.join(lost, on=VALUE, how="left", nulls_equal=True, maintain_order="left").with_columns(
        pl.col("gone").fill_null(0)
    )
    left = both.select(VALUE, LABEL, n=pl.col("n") - pl.col("gone"), kept=pl.lit(value=True))
    away = both.select(VALUE, LABEL, n=pl.col("gone"), kept=pl.lit(value=False))
    return pl.concat([left, away]).filter(pl.col("n") > 0)


def _suppressed_rows(evidence: Evidence, names: list[str]) -> pl.DataFrame:
    """The original values of the suppressed records; none where local recoding gives them a label, `*`."""
    gone = evidence.suppressed.to_frame(ROW)
    if evidence.recoded is not None:
        gone = gone.clear()
    none = pl.DataFrame(schema={name: evidence.source.schema[name] for name in names})
    if not gone.height:
        return none
    batches = evidence.source.batches([ROW, *names])
    return pl.concat([none, *(batch.join(gone, on=ROW, how="semi").select(names) for batch in batches)])
