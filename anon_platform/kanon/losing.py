"""What each quasi-identifier loses at its level of a full-domain generalization."""

from collections.abc import Mapping

import polars as pl

from anon_platform.anonymize.hierarchy import CsvHierarchy, ladder
from anon_platform.kanon.counting import Counts


def level_losses(
    counts: Counts, kept: pl.Series, hierarchies: Mapping[str, CsvHierarchy], levels: Mapping[str, str]
) -> dict[str, float]:
    """By quasi-identifier the mean loss of a record, 0 to 1; one that is suppressed loses 1.

    kept: Boolean, one a combination. Source: Iyengar 2002, as ARX's Loss metric counts it; see `Ladder.loss`.
    """
    return {
        name: _loss(counts.texts[name], counts.n, kept, hierarchies[name], level)
        for name, level in levels.items()
    }


def _loss(values: pl.Series, n: pl.Series, kept: pl.Series, kind: CsvHierarchy, level: str) -> float:
    built = ladder(kind, values.unique(), column=values.name)
    at = built.names.index(level)
    price = pl.DataFrame({"value": built.values, "loss": built.loss(at)[built.codes[at]]})
    rows = pl.DataFrame({"value": values, "kept": kept, "n": n.cast(pl.Float64)})
    summed = rows.group_by("value", "kept").agg(pl.col("n").sum()).join(price, on="value", nulls_equal=True)
    lost = pl.when("kept").then("loss").otherwise(1.0) * pl.col("n")
    return float(summed.select(lost.sum() / pl.col("n").sum()).item())
