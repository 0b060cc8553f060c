"""A linkage attack on a release folder, with nothing but the folder and a file of one's own."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from pydantic import ValidationError

from anon_platform.anonymize import Treat
from anon_platform.anonymize.hierarchy import LevelLabels, needs_counts
from anon_platform.errors import IntegrityError, PolicyError, SourceError
from anon_platform.home import home
from anon_platform.ingest.schema import DTYPES, source_schema
from anon_platform.pipeline.attacks.external import columns_to_read, compared, file_columns
from anon_platform.pipeline.releasing import as_tuples
from anon_platform.pipeline.staging import value_free
from anon_platform.pipeline.treatments import in_turn
from anon_platform.policy import Column, External, Linkage, Source, YearsSince, load_policy
from anon_platform.publish import MANIFEST, read_json
from anon_platform.table import PERSON
from anon_platform.validate import Compared, Held
from anon_platform.validate.attacks.linkage import Found, attack_release
from anon_platform.validate.attacks.relations import covering_labels
from anon_platform.validate.attacks.similar import similar_texts
from anon_platform.validate.files import read_released

ROW_NUMBER = "row"
"""Where no released column tells people apart, a truth names rows, counted from 0 in the order of the files."""


@dataclass(frozen=True)
class Asked:
    """What an attack on a release is asked. columns: released column and that of the file, same names when empty.

    identity: the file's column that names a person; truth: a file of it and of `person`, a released column that tells
    people apart (the number of the row when left out). policy: the policy's file, for hierarchies in files of their own.
    similar: compared columns whose texts agree from this similarity on.
    """

    external: Path
    columns: Mapping[str, str]
    years: Mapping[str, YearsSince]
    identity: str | None = None
    truth: Path | None = None
    person: str | None = None
    people: int = 50_000
    seed: int = 0
    probabilistic: bool = False
    policy: Path | None = None
    confidence: float = 0.95
    similar: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Attacked:
    """What came of it. total: people of the file; columns: released ones that were compared; unit: what was counted."""

    release_id: str
    columns: tuple[str, ...]
    total: int
    unit: str
    truth: bool
    found: tuple[Found, ...]


@value_free
def attack_release_folder(folder: Path, asked: Asked) -> Attacked:
    """Exact, generalization-aware and, if asked for, probabilistic matching of a file with the released bytes.

    Rows count as people where no released column tells people apart.
    """
    manifest = _manifest(folder)
    data = folder / "data"
    source = _source(asked.external)
    matched = _columns(asked, source, manifest)
    ours = _policy_columns(asked, manifest, list(matched))
    linkage = Linkage(
        name="file",
        external=External(format=source.format, path=source.path, id=asked.identity),
        columns={name: how for name, how in matched.items() if isinstance(how, str)},
        years={name: how for name, how in matched.items() if isinstance(how, YearsSince)},
        max_certain=1.0,
    )
    everybody = _read(linkage.external, columns_to_read(ours, linkage))
    rng = np.random.default_rng(asked.seed)
    drawn = everybody[np.sort(rng.permutation(everybody.height)[: asked.people])]
    rows = read_released(
        data, [*matched, *([asked.person] if asked.person and asked.person not in matched else [])]
    )
    person = (
        rows[asked.person].cast(pl.String) if asked.person else pl.Series(range(rows.height)).cast(pl.String)
    )
    numbers = pl.DataFrame({"of": person.unique(maintain_order=True)}).with_row_index(PERSON)
    equal, covered = [], []
    for name, how in matched.items():
        labels = rows[name].cast(pl.String).unique()
        dtype = _dtype(ours[name], drawn, how)
        treat, related = _treatment(name, ours[name], dtype, manifest)
        pair = compared(name, how, drawn, labels, dtype, treat, related)
        equal.append(pair[0])
        covered.append(_alike(pair[1], drawn, labels, asked.similar.get(name)))
    truth = None if asked.truth is None else _truth(asked, drawn, numbers)
    texts = drawn.select(pl.col(name).cast(pl.String) for name in drawn.columns)
    held = Held(everybody.height, texts, truth, (), tuple(equal), tuple(covered))
    table = rows.select(pl.col(name).cast(pl.String) for name in matched).with_columns(
        person.to_frame("of").join(numbers, on="of", maintain_order="left")[PERSON]
    )
    found = attack_release(held, table, asked.confidence, probabilistic=asked.probabilistic)
    unit = manifest["people"]["name"] if asked.person else "row"
    return Attacked(
        manifest["release_id"], tuple(matched), everybody.height, unit, truth is not None, tuple(found)
    )


def _manifest(folder: Path) -> dict[str, Any]:
    if not (folder / MANIFEST).exists():
        raise IntegrityError(f"no {MANIFEST} in {folder}; name a release folder, see: anon releases")
    manifest: dict[str, Any] = read_json(folder / MANIFEST)
    if "tables" in manifest:
        raise PolicyError(
            f"{folder} holds several tables; name one of them, such as {folder}/tables/{manifest['tables'][0]}"
        )
    return manifest


def _source(file: Path) -> Source:
    """A file by its ending; texts of CSV files that are empty have no value."""
    if not file.exists():
        raise SourceError(f"no file {file}; name a CSV or Parquet file")
    return Source(format="parquet" if file.suffix == ".parquet" else "csv", path=str(file.resolve()))


def _read(source: Source, columns: dict[str, Column]) -> pl.DataFrame:
    """The columns of a file; a copy of it is in staging meanwhile."""
    staging = home() / "staging"
    staging.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(prefix="attack-", dir=staging) as folder:
        return file_columns(source, columns, Path(folder) / "external")


def _columns(asked: Asked, source: Source, manifest: dict[str, Any]) -> dict[str, str | YearsSince]:
    """Released columns that are compared, and where in the file each comes from."""
    schema, released = source_schema(source), manifest["columns"]
    named: dict[str, str | YearsSince] = {**asked.columns, **asked.years}
    found = named or {name: name for name in released if name in schema}
    if not found:
        raise PolicyError(
            "the file and the release have no column of the same name; say which belong together, such as"
            f" --columns {released[0]}=<column of the file>"
        )
    for name, how in found.items():
        theirs = how if isinstance(how, str) else how.since
        if name not in released:
            raise PolicyError(f"the release has no column {name}; it has {', '.join(released)}")
        if theirs not in schema:
            raise PolicyError(f"{asked.external.name} has no column {theirs}; it has {', '.join(schema)}")
    for name in asked.similar:
        if name not in found:
            raise PolicyError(
                f"column {name} is not compared, so that nothing in it can be alike; add it to --columns"
            )
    if asked.identity is not None and asked.identity not in schema:
        raise PolicyError(f"{asked.external.name} has no column {asked.identity}; it has {', '.join(schema)}")
    if asked.person is not None and asked.person not in released:
        raise PolicyError(f"the release has no column {asked.person}; it has {', '.join(released)}")
    if asked.truth is not None and asked.identity is None:
        raise PolicyError("a truth goes by a column of the file that names its people; say which with --id")
    return found


def _policy_columns(asked: Asked, manifest: dict[str, Any], names: list[str]) -> dict[str, Column]:
    """What the policy says of the columns: from its file where that is named, else from the manifest."""
    if asked.policy is not None:
        policy = load_policy(asked.policy)
        if policy.hash != manifest["policy_hash"]:
            raise PolicyError(f"{asked.policy} is not the policy of this release; name the one that made it")
        return {name: policy.columns[name] for name in names}
    found = {}
    for name in names:
        try:
            found[name] = Column.model_validate(as_tuples(manifest["policy"]["columns"][name]))
        except ValidationError:
            raise PolicyError(
                f"column {name}: its treatment needs a file that the manifest only names; name the policy with --policy,"
                " or compare other columns"
            ) from None
    return found


def _dtype(column: Column, drawn: pl.DataFrame, how: str | YearsSince) -> pl.DataType:
    """The type of the original column: as declared, else that of the file."""
    if column.type is not None:
        return DTYPES[column.type]
    return pl.Int64() if isinstance(how, YearsSince) else drawn.schema[how]


def _treatment(
    name: str, column: Column, dtype: pl.DataType, manifest: dict[str, Any]
) -> tuple[Treat, Callable[[pl.Series, pl.Series], pl.DataFrame] | None]:
    """What became of values: as a function, or for generalized columns as a relation; keys are nobody's to know."""
    searched = column.searched if name in manifest["quasi_identifiers"] else None
    before = in_turn([step for step in column.treat if step is not searched], name, dtype)
    if searched is None:
        return before, None
    hierarchy: LevelLabels = searched.hierarchy
    if needs_counts(hierarchy):
        raise PolicyError(
            f"column {name}: its hierarchy was made from the source's counts, which are not in the release; compare"
            " other columns"
        )

    def related(values: pl.Series, labels: pl.Series) -> pl.DataFrame:
        distinct = values.unique()
        return covering_labels(distinct.cast(pl.String), before(distinct), labels, hierarchy, column=name)

    return before, related


def _alike(pair: Compared, drawn: pl.DataFrame, labels: pl.Series, least: float | None) -> Compared:
    """The comparison, in which texts that are alike agree as well."""
    if least is None:
        return pair
    more = similar_texts(drawn[pair.known].cast(pl.String), labels, least)
    return replace(pair, related=pl.concat([pair.related, more]).unique())


def _truth(asked: Asked, drawn: pl.DataFrame, numbers: pl.DataFrame) -> pl.Series:
    """The person of the release whom each of the file is, null where nobody is named."""
    assert asked.truth is not None
    assert asked.identity is not None
    whose = asked.person or ROW_NUMBER
    source = _source(asked.truth)
    lacking = [name for name in (asked.identity, whose) if name not in source_schema(source)]
    if lacking:
        raise PolicyError(
            f"{asked.truth.name} has no column {lacking[0]}; a truth has {asked.identity} and {whose}"
            + ("" if asked.person else ", the number of the released row, from 0")
        )
    text = Column(role="insensitive", type="string")
    pairs = _read(source, {asked.identity: text, whose: text}).drop_nulls()
    if pairs[asked.identity].n_unique() != pairs.height:
        raise SourceError(f"{asked.truth.name} names somebody twice; give it one row each")
    known = pairs.join(numbers, left_on=whose, right_on="of").select(asked.identity, PERSON)
    found = drawn.select(asked.identity).join(known, on=asked.identity, how="left", maintain_order="left")[
        PERSON
    ]
    if found.null_count() == len(found):
        raise SourceError(f"{asked.truth.name} names nobody who is in the file and in the release")
    return found
