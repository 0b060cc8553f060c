"""From the snapshot to treated rows: the search on counts, then one pass of batches."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from anon_platform.anonymize.k_anonymity import Crowd, Fitted, solve
from anon_platform.anonymize.order import in_secret_order, part_of, secret_draws
from anon_platform.errors import PolicyError
from anon_platform.frequency import people_for_risk
from anon_platform.keys import load_key
from anon_platform.ledger import INSTANCE_KEY
from anon_platform.pipeline.population import populations_before_search
from anon_platform.pipeline.staging import Work
from anon_platform.pipeline.treatments import (
    Progress,
    as_left,
    hierarchies_for,
    inferred_in_words,
    steps_before_search,
    treated_counts,
    with_levels,
)
from anon_platform.policy import Policy
from anon_platform.policy.thresholds import Thresholds
from anon_platform.publish import write_data
from anon_platform.publish.data_files import PART_ROWS
from anon_platform.table import PERSON, ROW, Table


def fit(policy: Policy, work: Work, table: Table, progress: Progress) -> Fitted:
    """The search, on the frequency table of quasi-identifiers, people and released sensitive values."""
    names, sensitive = policy.quasi_identifiers, policy.sensitive
    progress("counting combinations", 0, 0)
    before = steps_before_search(policy, table)
    counts = treated_counts(as_left(policy, table), [*names, *sensitive], before, [PERSON])
    wanted = policy.thresholds
    k = _people_needed(wanted, counts[PERSON].n_unique())
    return solve(
        counts,
        hierarchies_for(policy, counts),
        person=PERSON,
        sensitive={name: policy.models_of(name) for name in sensitive},
        k=k,
        suppressed_share=wanted.suppressed_records or 0.0,
        attackers=[(attacker.knows, attacker.people_needed) for attacker in policy.attackers],
        mean_risk=wanted.mean_risk,
        unique_records=wanted.unique_records,
        linked=bool(policy.privacy_unit.linked),
        populations=crowds_of(wanted, populations_before_search(policy, work, table)),
        progress=lambda done, total: progress("searching levels", done, total),
    )


def crowds_of(wanted: Thresholds, counted: Mapping[str, pl.DataFrame]) -> list[tuple[Crowd, pl.DataFrame]]:
    """What is demanded beside each population table. counted: by model."""
    found = []
    if wanted.k_map is not None and "k_map" in counted:
        found.append((Crowd(least=wanted.k_map.k), counted["k_map"]))
    if wanted.delta_presence is not None:
        bounds = (wanted.delta_presence.lower, wanted.delta_presence.upper)
        found.append((Crowd(presence=bounds), counted["delta_presence"]))
    return found


def _people_needed(wanted: Thresholds, people: int) -> int:
    """People in a class for k, the maximum risk and an estimated population; what the source cannot have is refused."""
    for_risk = people_for_risk(wanted.max_risk)
    if (wanted.k or 1) <= people < for_risk:
        raise PolicyError(
            f"thresholds.max_risk: {wanted.max_risk:g} needs {for_risk} people in a class, the source has {people};"
            f" write max_risk: {1 / people:.3g} or more"
        )
    estimated = wanted.k_map.people_needed if wanted.k_map is not None else None
    if estimated is not None and max(wanted.k or 1, for_risk) <= people < estimated:
        raise PolicyError(
            f"thresholds.k_map: an estimated population needs {estimated} people in a class, the source has {people};"
            " write a smaller k, or a larger sampling_fraction or significance"
        )
    return max(wanted.k or 1, for_risk, estimated or 1)


def treat_rows(
    policy: Policy, table: Table, fitted: Fitted, draft: Path, progress: Progress
) -> dict[str, Any]:
    """Writes data, kept and suppressed positions to the stage's draft (in the release's staging folder)."""
    treat, left = with_levels(table, policy, fitted.levels), as_left(policy, table)
    suppressed: list[pl.Series] = []
    done = 0

    def step(batch: pl.DataFrame) -> pl.DataFrame:
        nonlocal done
        treated = batch.select(
            ROW, PERSON, *[treat[name](batch[name]).alias(name) for name in policy.released]
        )
        kept = fitted.keep(treated)
        suppressed.append(treated.join(kept.select(ROW), on=ROW, how="anti")[ROW])
        done += batch.height
        progress("treating rows", done, table_rows)
        return kept

    table_rows = table.rows
    draws = secret_draws(load_key(INSTANCE_KEY), draft.parent.name, table_rows)
    parts = max(1, round(table_rows / PART_ROWS))
    written = write_data(
        left.map(step).batches(),
        draft / "data",
        columns=policy.released,
        schema=pl.Schema(left.map(step).schema),
        formats=policy.publish.formats,
        parts=parts,
        part_of=lambda rows: part_of(rows, draws, parts),
        order=lambda frame: in_secret_order(frame, draws),
    )
    written.kept.write_parquet(draft / "kept.parquet")
    out = pl.concat(suppressed)
    out.to_frame().write_parquet(draft / "suppressed.parquet")
    return {
        "rows_out": written.kept.height,
        "rows_suppressed": len(out),
        "people_out": written.kept[PERSON].n_unique(),
        "levels": fitted.levels,
        "inferred": inferred_in_words(policy, table),
        "information_loss": fitted.solution.loss,
        "nodes": fitted.solution.nodes,
        "nodes_evaluated": fitted.solution.evaluated,
        "types": type_names(left.map(step).schema),
    }


def type_names(schema: Mapping[str, pl.DataType]) -> dict[str, str]:
    """The type of each column in one word, without the two that never leave staging."""
    return {
        name: str(dtype.base_type()).lower() for name, dtype in schema.items() if name not in {ROW, PERSON}
    }
