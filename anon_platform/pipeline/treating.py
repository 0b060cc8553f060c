"""From the snapshot to treated rows: the search on counts, then one pass of batches."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from anon_platform.anonymize.hierarchy import LevelLabels
from anon_platform.anonymize.k_anonymity import Crowd, Fitted, solve
from anon_platform.anonymize.local import Mondrian, Recoded, recode
from anon_platform.anonymize.order import in_secret_order, part_of, secret_draws
from anon_platform.errors import PolicyError
from anon_platform.frequency import people_for_risk
from anon_platform.keys import load_key
from anon_platform.ledger import INSTANCE_KEY
from anon_platform.pipeline.population import populations_before_search
from anon_platform.pipeline.recoding import KEPT, Recoding, weights_and_caps
from anon_platform.pipeline.staging import Work
from anon_platform.pipeline.texts import Texts, texts_of
from anon_platform.pipeline.treatments import (
    Progress,
    as_left,
    hierarchies_for,
    hierarchy_of,
    inferred_in_words,
    steps_before_search,
    treated_counts,
    with_levels,
)
from anon_platform.policy import Policy
from anon_platform.policy.thresholds import Thresholds
from anon_platform.publish import write_data
from anon_platform.publish.data_files import PART_ROWS
from anon_platform.table import PERSON, ROW, TOKEN, Step, Table


def fit(
    policy: Policy,
    work: Work,
    table: Table,
    progress: Progress,
    dropped: pl.Series | None = None,
    *,
    stay: Mapping[str, str] | None = None,
) -> Fitted | Recoded:
    """The search, on the frequency table of quasi-identifiers, people and released sensitive values.

    dropped: ROW of the records that leave in no case, since one they refer to does not. stay: levels to keep where they meet
    the demands; full-domain recoding only.
    """
    names, sensitive = policy.quasi_identifiers, policy.sensitive
    progress("counting combinations", 0, 0)
    before = steps_before_search(policy, table)
    left = as_left(policy, table).map(without(dropped)) if dropped is not None else as_left(policy, table)
    counts = treated_counts(left, [*names, *sensitive], before, [PERSON])
    hierarchies = _hierarchies(policy, table, counts, dropped)
    crowds = (
        crowds_of(policy.thresholds, populations_before_search(policy, work, table))
        if policy.recoding.model == "full_domain"
        else []
    )
    return fit_counts(policy, counts, hierarchies, progress, crowds, stay=stay)


def fit_counts(
    policy: Policy,
    counts: pl.DataFrame,
    hierarchies: Mapping[str, LevelLabels],
    progress: Progress,
    crowds: Sequence[tuple[Crowd, pl.DataFrame]] = (),
    *,
    stay: Mapping[str, str] | None = None,
) -> Fitted | Recoded:
    """The search on counts that are there already: quasi-identifiers treated up to it, PERSON, released sensitive values.

    crowds: what is demanded beside each population table. stay: as in `fit`.
    """
    weights, caps = weights_and_caps(policy)
    caps = _below_all(policy, caps) if policy.recoding.model == "full_domain" else caps
    search = partial(_search, policy, counts, hierarchies, weights=weights, progress=progress)
    if policy.recoding.model == "full_domain":
        return search(caps=caps, populations=crowds, stay=stay)
    found = search(caps=caps)
    over = [name for name, share in policy.thresholds.suppressed_cells.items() if _stars(found, name) > share]
    # a column that lost too many cells may lose none
    return search(caps=_below_all(policy, caps, over)) if over else found


def _hierarchies(
    policy: Policy, table: Table, counts: pl.DataFrame, dropped: pl.Series | None
) -> dict[str, LevelLabels]:
    """Fitted to the whole snapshot, also where records are dropped: a later process knows only that."""
    if dropped is None:
        return hierarchies_for(policy, counts)
    return {name: hierarchy_of(policy, table, name) for name in policy.quasi_identifiers}


def without(dropped: pl.Series) -> Step:
    """The step that leaves out the rows with these ROW numbers."""
    gone = dropped.to_frame(ROW)
    return lambda batch: batch.join(gone, on=ROW, how="anti", maintain_order="left")


def _search(
    policy: Policy,
    counts: pl.DataFrame,
    hierarchies: Mapping[str, LevelLabels],
    *,
    weights: Mapping[str, float],
    caps: Mapping[str, str],
    progress: Progress,
    populations: Sequence[tuple[Crowd, pl.DataFrame]] = (),
    stay: Mapping[str, str] | None = None,
) -> Fitted | Recoded:
    wanted, recoding = policy.thresholds, policy.recoding
    asked: dict[str, Any] = {
        "person": PERSON,
        "sensitive": {name: policy.models_of(name) for name in policy.sensitive},
        "k": _people_needed(wanted, counts[PERSON].n_unique()),
        "suppressed_share": wanted.suppressed_records or 0.0,
        "attackers": [(attacker.knows, attacker.people_needed) for attacker in policy.attackers],
        "mean_risk": wanted.mean_risk,
        "unique_records": wanted.unique_records,
        "weights": weights,
        "caps": caps,
    }
    if recoding.model == "local":
        wish = recoding.mondrian
        top_down = None if wish is None else Mondrian(wish.split, wish.strict)
        return recode(
            counts, hierarchies, **asked,
            output=recoding.labels or "hierarchy", effort=recoding.effort or "best", mondrian=top_down,
            progress=progress,
        )  # fmt: skip
    return solve(
        counts, hierarchies, **asked,
        linked=bool(policy.privacy_unit.linked), populations=populations, seconds=recoding.seconds, stay=stay,
        progress=lambda done, total: progress("searching levels", done, total),
    )  # fmt: skip


def _below_all(policy: Policy, caps: Mapping[str, str], names: Sequence[str] | None = None) -> dict[str, str]:
    """The caps, and one below `*` for columns whose cells may not all be `*`."""
    found = dict(caps)
    limits = policy.thresholds.suppressed_cells
    for name in [name for name, share in limits.items() if share < 1] if names is None else names:
        step = policy.columns[name].searched
        if step is not None and name not in found and step.hierarchy.level_names:
            found[name] = step.hierarchy.level_names[-1]
    return found


def _stars(found: Fitted | Recoded, name: str) -> float:
    """The share of the released cells of a column that are `*`."""
    assert isinstance(found, Recoded)
    return found.suppressed_cells[name]


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
    policy: Policy,
    table: Table,
    fitted: Fitted | Recoded,
    draft: Path,
    progress: Progress,
    dropped: pl.Series | None = None,
) -> dict[str, Any]:
    """Writes data, kept and suppressed positions to the stage's draft (in the release's staging folder).

    dropped: as in `fit`; they are among the suppressed.
    """
    recoding = Recoding.of(fitted) if isinstance(fitted, Recoded) else None
    treated = _treated_by(policy, table, fitted, recoding)
    if dropped is not None:
        treated = _after(without(dropped), treated)
        recoding = None if recoding is None else recoding.with_all(policy, table)
    with texts_of(policy, table) as texts:
        numbers = _write_rows(policy, table, treated, draft, texts, progress)
    if recoding is not None:
        recoding.write(draft)
    return {**numbers, **_found(fitted)}


def treated_by(policy: Policy, table: Table, fitted: Fitted | Recoded, dropped: pl.Series | None) -> Step:
    """From a batch of the snapshot to ROW, PERSON and the columns that leave, of the rows that would; texts untreated."""
    recoding = Recoding.of(fitted) if isinstance(fitted, Recoded) else None
    if dropped is None:
        return _treated_by(policy, table, fitted, recoding)
    recoding = None if recoding is None else recoding.with_all(policy, table)
    return _after(without(dropped), _treated_by(policy, table, fitted, recoding))


def _after(first: Step, then: Step) -> Step:
    return lambda batch: then(first(batch))


def _write_rows(
    policy: Policy, table: Table, treated: Step, draft: Path, texts: Texts, progress: Progress
) -> dict[str, Any]:
    left = as_left(policy, table)
    suppressed: list[pl.Series] = []
    done = 0

    def step(batch: pl.DataFrame) -> pl.DataFrame:
        nonlocal done
        kept = texts.treated(treated(batch), batch)
        suppressed.append(batch.select(ROW).join(kept.select(ROW), on=ROW, how="anti")[ROW])
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
        "text_found": {name: dict(sorted(found.items())) for name, found in texts.found.items()},
        "inferred": inferred_in_words(policy, table),
        "types": type_names(left.map(step).schema),
    }


def _treated_by(policy: Policy, table: Table, fitted: Fitted | Recoded, recoding: Recoding | None) -> Step:
    """The function from a batch of the snapshot to the rows that leave, as they leave, with ROW and PERSON."""
    treat = with_levels(table, policy, fitted.levels if isinstance(fitted, Fitted) else {})

    def treated(batch: pl.DataFrame) -> pl.DataFrame:
        found = batch.select(ROW, PERSON, *[treat[n](batch[n]).alias(n) for n in policy.released])
        if isinstance(fitted, Fitted):
            return fitted.keep(found)
        assert recoding is not None
        return recoding.release(found).filter(KEPT).drop(KEPT)

    return treated


def _found(fitted: Fitted | Recoded) -> dict[str, Any]:
    """What the search found, in numbers."""
    if isinstance(fitted, Fitted):
        solution = fitted.solution
        return {
            "levels": fitted.levels,
            "information_loss": solution.information_loss,
            "loss_bound": solution.lower_bound,
            "nodes": solution.nodes,
            "nodes_evaluated": solution.evaluated,
        }
    return {
        "levels": {},
        "information_loss": fitted.information_loss,
        "loss_by_column": fitted.by_column,
        "classes": fitted.classes,
    }


def type_names(schema: Mapping[str, pl.DataType]) -> dict[str, str]:
    """The type of each column in one word, without those that never leave staging."""
    hidden = {ROW, PERSON, TOKEN}
    return {name: str(dtype.base_type()).lower() for name, dtype in schema.items() if name not in hidden}
