"""Every row and every column accounted for."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from anon_platform.table import ROW
from anon_platform.validate.evidence import Evidence
from anon_platform.validate.files import count_rows, formats_agree, read_released, released_columns, spelled


@dataclass(frozen=True)
class Accounting:
    """rows_in = rows_out + suppressed, exactly; faults: what does not add up, in words without values."""

    rows_in: int
    rows_out: int
    suppressed: int
    columns: tuple[str, ...]
    faults: tuple[str, ...]


def account(evidence: Evidence) -> Accounting:
    """Counts from the files and from staging, and checks that each released row stands where staging says."""
    rows_in, rows_out = evidence.source.rows, count_rows(evidence.data)
    kept, suppressed = evidence.kept[ROW].to_numpy(), evidence.suppressed.to_numpy()
    faults = []
    if rows_in != rows_out + len(suppressed):
        faults.append(f"{rows_in} rows came in, {rows_out} leave and {len(suppressed)} are suppressed")
    if rows_out != len(kept):
        faults.append(f"{rows_out} rows leave, staging knows {len(kept)}")
    positions = np.sort(np.concatenate([kept, suppressed]))
    if not np.array_equal(positions, np.arange(rows_in)):
        faults.append("a source row is released twice, or neither released nor suppressed")
    columns = released_columns(evidence.data)
    if list(columns) != evidence.policy.released:
        faults.append("the released columns are not those of the policy, in its order")
    elif not faults and not _content_matches(evidence):
        faults.append("a released row does not say what its source row says")
    if not formats_agree(evidence.data):
        faults.append("the CSV and the Parquet files do not say the same")
    return Accounting(rows_in, rows_out, len(suppressed), columns, tuple(faults))


def _content_matches(evidence: Evidence) -> bool:
    """Whether quasi-identifiers, sensitive and perturbed values of each released row are those of its source row, treated.

    Exact also for perturbed columns: their draws come from the instance's key, so that what they made of a row is known.
    """
    perturbed = [name for name in evidence.policy.released if name in evidence.perturbed]
    names = list(dict.fromkeys([*evidence.policy.quasi_identifiers, *evidence.policy.sensitive, *perturbed]))
    released = read_released(evidence.data, names).with_columns(evidence.kept[ROW]).sort(ROW)
    first = 0
    for batch in (evidence.as_left or evidence.source).batches([ROW, *names]):
        wanted = released.slice(first, int(_upto(released, first, int(batch[ROW].max()))))  # type: ignore[arg-type]
        first += wanted.height
        rows = batch.join(wanted.select(ROW), on=ROW, how="semi", maintain_order="left")
        if not all(_says(evidence, name, rows[name], wanted[name]) for name in names):
            return False
    return first == released.height


def _says(evidence: Evidence, name: str, original: pl.Series, found: pl.Series) -> bool:
    """Whether the released values of a column are what the original ones become, row by row.

    What a locally recoded value becomes depends on the whole row: here its label has to cover it.
    """
    if evidence.recoded is not None and name in evidence.recoded.columns:
        return bool(evidence.recoded.covers[name](evidence.treat[name](original), found).all())
    if name in evidence.perturbed:
        return _same(original, found)
    return _same(evidence.treat[name](original).rename(name), found)


def _upto(released: pl.DataFrame, first: int, last_row: int) -> int:
    """How many rows from `first` on have a position up to `last_row`."""
    return int(np.searchsorted(released[ROW].to_numpy()[first:], last_row, side="right"))


def _same(expected: pl.Series, found: pl.Series) -> bool:
    if expected.dtype != found.dtype:  # from CSV all is text
        expected = spelled(expected)
    return expected.equals(found, check_names=False, null_equal=True)
