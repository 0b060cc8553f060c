"""Rows that go with the rows they refer to, and keys that have to be keys."""

from collections.abc import Mapping

import polars as pl

from anon_platform.errors import SourceError
from anon_platform.pipeline.staging import Work
from anon_platform.policy import TablesPolicy
from anon_platform.table import ROW
from anon_platform.validate.references import Reference


def references_of(policy: TablesPolicy) -> tuple[Reference, ...]:
    """All references of the policy."""
    return tuple(
        Reference(name, column, to, str(policy.tables[to].key))
        for name, rules in policy.tables.items()
        for column, to in rules.references.items()
    )


def require_keys(policy: TablesPolicy, works: Mapping[str, Work]) -> None:
    """Each key that others refer to stands in one row of the snapshot, and in every row; else `SourceError`."""
    for name in sorted({reference.to for reference in references_of(policy)}):
        key = str(policy.tables[name].key)
        counts = works[name].snapshot(policy.engine).counts([key])
        if counts[key].null_count():
            raise SourceError(f"table {name}: the key {key} has no value in some rows; complete the source")
        if twice := counts.filter(pl.col("n") > 1).height:
            raise SourceError(
                f"table {name}: {twice} values of the key {key} stand in several rows, so that nobody can say which one"
                " a reference means; correct the source or the key"
            )


def dropped_rows(policy: TablesPolicy, name: str, works: Mapping[str, Work]) -> pl.Series | None:
    """ROW of the records of a table that refer to a suppressed one; None where there is none.

    The tables that it refers to have to be treated already. A record that refers to nothing, or to what is not in the
    source, stays.
    """
    table = works[name].snapshot(policy.engine)
    found: list[pl.Series] = []
    for reference in references_of(policy):
        if reference.table != name:
            continue
        gone = _suppressed_keys(policy, reference, works)
        for batch in table.batches([ROW, reference.column]):
            of_batch = batch.select(ROW, value=pl.col(reference.column).cast(pl.String))
            found.append(of_batch.join(gone, on="value", how="semi")[ROW])
    rows = pl.concat(found).unique() if found else pl.Series(ROW, [], dtype=pl.UInt32)
    return rows if len(rows) else None


def _suppressed_keys(policy: TablesPolicy, reference: Reference, works: Mapping[str, Work]) -> pl.DataFrame:
    """The keys (`value`, as text) whose rows do not leave."""
    work = works[reference.to]
    rows = pl.read_parquet(work.part("anonymized") / "suppressed.parquet", glob=False)
    batches = work.snapshot(policy.engine).batches([ROW, reference.key])
    parts = [batch.join(rows, on=ROW, how="semi") for batch in batches]
    return pl.concat(parts).select(value=pl.col(reference.key).cast(pl.String))
