"""Which rows must not leave, so that nobody is singled out by laying the new release beside earlier ones."""

from collections.abc import Mapping

import polars as pl

from anon_platform.frequency import SEQUENCE, sequence_classes
from anon_platform.pipeline.earlier.identities import identities
from anon_platform.pipeline.earlier.traces import Earlier
from anon_platform.pipeline.treatments import as_left
from anon_platform.policy import Policy
from anon_platform.table import PERSON, ROW, TOKEN, Step, Table
from anon_platform.validate.differencing import CLASS, RECORD, Trace, held_back, numbered_values
from anon_platform.validate.earlier import demand_of


def going_together(policy: Policy, table: Table, treated: Step, earlier: Earlier) -> pl.Series | None:
    """ROW of the rows to hold back; None where there is nothing to compare with.

    treated: from a batch of `table` to the rows that would leave, as they would leave.
    """
    demand = demand_of(policy)
    if demand is None or not earlier.traces:
        return None
    names, sensitive = policy.quasi_identifiers, policy.sensitive
    seen = list(dict.fromkeys([ROW, PERSON, *names, *sensitive]))
    rows = pl.concat([treated(batch).select(seen) for batch in as_left(policy, table).batches()])
    who = identities(policy, table)
    now = rows.join(who, on=ROW, how="left", maintain_order="left")
    found = now.select(TOKEN, RECORD, pl.col(ROW).alias("row")).with_columns(
        numbered_values(now, names, sensitive)
    )
    if policy.privacy_unit.linked:
        sequences: Mapping[str, pl.Series] = {
            CLASS: now.select(PERSON).join(
                sequence_classes(now, names, PERSON), on=PERSON, how="left", maintain_order="left"
            )[SEQUENCE]
        }
        found = found.with_columns(**sequences)
    trace = Trace(found, tuple(names), tuple(sensitive), policy.privacy_unit.column is None)
    return held_back(earlier.traces, trace, demand).rename(ROW)
