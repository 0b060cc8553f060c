"""What the validator looks at: the files that leave, and in staging the rows they came from, by position."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from anon_platform.anonymize import Treat
from anon_platform.anonymize.hierarchy import Ladder
from anon_platform.policy import Policy
from anon_platform.table import Table
from anon_platform.validate.attacks.linkage import Held
from anon_platform.validate.differencing import Trace


@dataclass(frozen=True)
class Recoded:
    """Quasi-identifiers that were recoded locally: what a value became depends on the others of its row.

    columns: these. labels: from original values of all of them to the labels each row has, `*` where it was suppressed.
    covers: for each whether a label covers the original value beside it.
    """

    columns: tuple[str, ...]
    labels: Callable[[pl.DataFrame], pl.DataFrame]
    covers: Mapping[str, Callable[[pl.Series, pl.Series], pl.Series]]


@dataclass(frozen=True)
class Content:
    """What a column holds, judged by its name and its values alone, without the policy; no value is in it.

    kind: the likeliest one, such as `phone`; `empty` where no row has a value. words: the kind in words. why: reasons.
    by_values: further kinds that the values alone speak for, each with its reason. carried: identifiers inside longer
    texts, each with the records that have one. distinct: values, without missing ones. decimals: whether it is a
    measure with decimals. likely: whether the kind is likelier than a guess.
    """

    kind: str
    words: str
    why: str = ""
    by_values: Mapping[str, str] = field(default_factory=dict)
    carried: Mapping[str, int] = field(default_factory=dict)
    distinct: int = 0
    decimals: bool = False
    likely: bool = True


@dataclass(frozen=True)
class Seen:
    """A released column as it looks to a reader, and the column of the source that it was made of."""

    released: Content
    original: Content


@dataclass(frozen=True)
class Reviewed:
    """A review of a sample of notes. low: lower end of the interval of recall, the lower of the one by identifiers and the one by notes.

    confidence: of the interval. drawn: samples drawn so far under the same text settings.
    """

    low: float
    identifiers: int
    missed: int
    notes: int
    confidence: float
    reviewers: int
    drawn: int


@dataclass(frozen=True)
class Evidence:
    """Everything a measure may use.

    data: the folder of the files that leave.
    kept: ROW and PERSON of every released row, in the order of the Parquet files.
    suppressed: ROW of every suppressed record.
    source: the snapshot the release was made from.
    treat: for every released column the function from original to released value; of perturbed columns without the
        draws, so that the original is compared at released detail; of locally recoded ones without the recoding.
    population: by model (k_map, delta_presence) the frequency table of its population over the released
        quasi-identifiers, at the released levels; a model whose population is not here is missed.
    as_left: the snapshot with perturbed columns as they leave; left out, nothing is perturbed and it is the source.
    perturbed: columns whose values depend on secret draws of the rows (PRAM, rank swapping).
    recoded: the quasi-identifiers, where they were recoded locally.
    seen: every released column as it looks; for policies that name a regulation which looks at columns.
    identities: ROW, TOKEN and RECORD of the source; where quasi-identifiers leave.
    earlier: by release id what the recipient has of this dataset already. untraced: such releases that left no trace.
    held: by linkage of the policy's attacks the file that the attacker holds.
    related: for every quasi-identifier that leaves, from original values and released labels to the pairs of them (texts
        `value` and `label`) of which the label covers the value; for policies with attacks.
    control: people like those of the source who are not in it, PERSON and the staged columns, where the policy names some.
    ladders: of each quasi-identifier its hierarchy over the values up to the search; left out, information loss is not
        measured. levels: the released level of each, where all records have the same.
    reviewed: what people found who looked at a sample of the notes, where the policy demands it and there is one.
    """

    policy: Policy
    data: Path
    kept: pl.DataFrame
    suppressed: pl.Series
    source: Table
    treat: Mapping[str, Treat]
    population: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    as_left: Table | None = None
    perturbed: frozenset[str] = frozenset()
    recoded: Recoded | None = None
    seen: Mapping[str, Seen] = field(default_factory=dict)
    identities: pl.DataFrame | None = None
    earlier: Mapping[str, Trace] = field(default_factory=dict)
    untraced: tuple[str, ...] = ()
    reviewed: Reviewed | None = None
    held: Mapping[str, Held] = field(default_factory=dict)
    related: Mapping[str, Callable[[pl.Series, pl.Series], pl.DataFrame]] = field(default_factory=dict)
    control: pl.DataFrame | None = None
    ladders: Mapping[str, Ladder] = field(default_factory=dict)
    levels: Mapping[str, str] = field(default_factory=dict)

    def at_released_detail(self, rows: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
        """`rows` of the source with the columns `names` as they are released, whether the rows are or not.

        Where columns were recoded locally, all of these have to be there.
        """
        found = rows.with_columns(self.treat[name](rows[name]).alias(name) for name in names)
        if self.recoded is None or not set(self.recoded.columns) & set(names):
            return found
        labels = self.recoded.labels(rows.select(self.recoded.columns))
        return found.with_columns(labels[name] for name in self.recoded.columns if name in names)
