"""Files that attackers hold: read, typed like the source, their values related to what is released."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import polars as pl

from anon_platform.anonymize import Treat
from anon_platform.errors import SourceError
from anon_platform.ingest import fingerprint, person_tokens, snapshot, source_files
from anon_platform.keys import Key, load_key
from anon_platform.ledger import INSTANCE_KEY
from anon_platform.pipeline.staging import Work
from anon_platform.pipeline.treatments import at_released_detail, hierarchy_of, steps_before_search
from anon_platform.policy import Column, Linkage, Policy, PrivacyUnit, Publish, Source, Thresholds, YearsSince
from anon_platform.table import PERSON, ROW, TOKEN, PolarsTable, Table
from anon_platform.validate import Compared, Held
from anon_platform.validate.attacks.relations import covering_labels, equal_values, years_since
from anon_platform.validate.files import read_released


def external_fingerprint(policy: Policy, key: Key) -> str:
    """What the files of the attacks hold, as `ingest.fingerprint`; empty without one.

    A release rests on them as on its source: another voter list makes another release.
    """
    files = policy.attacks.files if policy.attacks is not None else {}
    return " ".join(f"{name}:{fingerprint(source_files(files[name]), key)}" for name in sorted(files))


def held_files(
    policy: Policy, work: Work, table: Table, data: Path, treat: Mapping[str, Treat]
) -> dict[str, Held]:
    """By linkage what the attacker holds. data: the released files; treat: as in `Evidence`.

    Copies of the files in staging are deleted at once.
    """
    attacks = policy.attacks
    if attacks is None:
        return {}
    if external_fingerprint(policy, load_key(INSTANCE_KEY)) != work.require("raw").get("attacks", ""):
        raise SourceError("a file of the attacks changed since the run began; run again")
    found = {}
    for number, linkage in enumerate(attacks.linkage):
        rng = np.random.default_rng([attacks.seed, number])
        found[linkage.name] = _held(policy, linkage, work, table, data, treat, rng)
    return found


def relations(policy: Policy, table: Table) -> dict[str, Callable[[pl.Series, pl.Series], pl.DataFrame]]:
    """As `Evidence.related`; none where the policy names no attack."""
    if policy.attacks is None:
        return {}
    before = at_released_detail(table, policy, steps_before_search(policy, table))

    def of(name: str) -> Callable[[pl.Series, pl.Series], pl.DataFrame]:
        hierarchy = hierarchy_of(policy, table, name)

        def related(values: pl.Series, labels: pl.Series) -> pl.DataFrame:
            distinct = values.unique()
            texts = distinct.cast(pl.String)
            return covering_labels(texts, before[name](distinct), labels, hierarchy, column=name)

        return related

    return {name: of(name) for name in policy.quasi_identifiers}


def control_rows(policy: Policy, work: Work) -> pl.DataFrame | None:
    """The control people as staging would hold them: PERSON and the staged columns; None where the policy names none."""
    if policy.attacks is None or policy.attacks.control is None:
        return None
    same = policy.model_copy(update={"source": policy.attacks.control})
    return _snapshot(same, work.part("external"))


def _snapshot(policy: Policy, folder: Path) -> pl.DataFrame:
    shutil.rmtree(folder, ignore_errors=True)
    try:
        snapshot(policy, folder)
        return pl.concat(PolarsTable.over(folder).batches()).drop(ROW)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def file_columns(source: Source, columns: dict[str, Column], folder: Path) -> pl.DataFrame:
    """The columns of a file, each of its type, through a restricted `folder` that is there for so long only."""
    said = {
        "version": 1,
        "dataset": "external",
        "title": "a file that an attacker holds",
        "owner": "",
        "source": source,
        "privacy_unit": PrivacyUnit(each_row_is_a_person=True),
        "columns": columns,
        "thresholds": Thresholds(fidelity=1.0),
        "publish": Publish(formats=("parquet",), recipient="", purpose=""),
    }
    # the source finds its folder anew
    alone = Policy.model_validate(said, context={"folder": source.folder})
    return _snapshot(alone, folder).drop(PERSON)


def _held(
    policy: Policy, linkage: Linkage, work: Work, table: Table, data: Path, treat: Mapping[str, Treat],
    rng: np.random.Generator,
) -> Held:  # fmt: skip
    columns = columns_to_read(policy.columns, linkage)
    everybody = file_columns(linkage.external, columns, work.part("external"))
    identity = linkage.external.id
    if identity is not None and everybody[identity].n_unique() != everybody.height:
        raise SourceError(
            f"attacks: the external file {linkage.name} has several rows with the same {identity};"
            " give it one row a person"
        )
    drawn = everybody[np.sort(rng.permutation(everybody.height)[: linkage.people])]
    person = None if linkage.truth is None else _persons(linkage, drawn, work, table)
    related_by = relations(policy, table)
    equal, covered = [], []
    for ours, how in linkage.compared.items():
        labels = read_released(data, [ours])[ours].unique().cast(pl.String)
        pair = compared(ours, how, drawn, labels, table.schema[ours], treat[ours], related_by.get(ours))
        equal.append(pair[0])
        covered.append(pair[1])
    raw = tuple(
        Compared(ours, theirs, equal_values(drawn[theirs].cast(pl.String), _raw_texts(table, ours)))
        for ours, theirs in linkage.raw_columns.items()
    )
    texts_only = drawn.select(pl.col(name).cast(pl.String) for name in columns)
    return Held(everybody.height, texts_only, person, raw, tuple(equal), tuple(covered))


def compared(
    ours: str,
    how: str | YearsSince,
    drawn: pl.DataFrame,
    labels: pl.Series,
    dtype: pl.DataType,
    treat: Treat,
    related: Callable[[pl.Series, pl.Series], pl.DataFrame] | None,
) -> tuple[Compared, Compared]:
    """A comparison of one released column by equal values, and one by labels that cover a value.

    how: where its values come from in the file; labels: the released ones, as text; dtype: of the original column;
    treat: from original to released values; related: of generalized columns, as `Evidence.related`.
    """
    known, values = _values(drawn, how, dtype)
    values = values.alias(ours)
    theirs = how if isinstance(how, str) else how.since
    alike = pl.DataFrame({"value": known.cast(pl.String), "of": values.cast(pl.String)})
    same = equal_values(alike["of"], labels).rename({"value": "of"})
    by_value = alike.join(same, on="of").select("value", "label").unique()
    if related is not None:
        of = related(values, labels).rename({"value": "of"})
        covering = alike.join(of, on="of").select("value", "label").unique()
    else:
        covering = alike.select("value", label=treat(values).cast(pl.String)).drop_nulls().unique()
    return Compared(ours, theirs, by_value), Compared(ours, theirs, covering)


def _raw_texts(table: Table, name: str) -> pl.Series:
    return table.counts([name])[name].cast(pl.String)


def columns_to_read(ours_by_name: Mapping[str, Column], linkage: Linkage) -> dict[str, Column]:
    """The columns of the file, each of the type that it has to have to be compared. ours_by_name: those of the policy."""
    found: dict[str, Column] = {}
    for ours, theirs in [*linkage.raw_columns.items(), *linkage.compared.items()]:
        if isinstance(theirs, YearsSince):
            found[theirs.since] = Column(role="insensitive", type="date", date_format=theirs.date_format)
        else:
            like = ours_by_name[ours]
            found.setdefault(theirs, Column(role="insensitive", type=like.type, date_format=like.date_format))
    if linkage.external.id is not None:
        found.setdefault(linkage.external.id, Column(role="insensitive", type="string"))
    return found


def _values(drawn: pl.DataFrame, how: str | YearsSince, dtype: pl.DataType) -> tuple[pl.Series, pl.Series]:
    """Known values, distinct, and beside each what it stands for in our column; several rows where that is not sure."""
    if isinstance(how, str):
        known = drawn[how].drop_nulls().unique()
        return known, known if known.dtype == dtype else known.cast(dtype, strict=False)
    ages = years_since(drawn[how.since], *how.in_years)
    return ages["value"], ages["of"].cast(dtype, strict=False)


def _persons(linkage: Linkage, drawn: pl.DataFrame, work: Work, table: Table) -> pl.Series:
    """Who each of the drawn people is in the source, null where nobody."""
    truth, identity = linkage.truth, linkage.external.id
    assert truth is not None
    assert identity is not None
    text = Column(role="insensitive", type="string")
    pairs = file_columns(
        truth, {truth.external: text, truth.person: text}, work.part("external")
    ).drop_nulls()
    if pairs[truth.external].n_unique() != pairs.height:
        raise SourceError(
            f"attacks: the truth of {linkage.name} names somebody of the external file twice; give it one row each"
        )
    tokens = person_tokens(pairs[truth.person], load_key(INSTANCE_KEY).derive("people"))
    known = (
        pairs.with_columns(tokens)
        .join(table.counts([PERSON, TOKEN]), on=TOKEN)
        .select(truth.external, PERSON)
    )
    found = drawn.select(identity).join(
        known, left_on=identity, right_on=truth.external, how="left", maintain_order="left"
    )[PERSON]
    if found.null_count() == len(found):
        raise SourceError(
            f"attacks: the truth of {linkage.name} names nobody who is in the external file and in the source;"
            " correct the files, or the columns of truth"
        )
    return found
