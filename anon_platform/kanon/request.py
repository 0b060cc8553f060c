"""What is asked for: columns, demands and files, checked before a row is read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from anon_platform.errors import PolicyError, StorageError
from anon_platform.frequency import (
    ColumnModel,
    DistinctL,
    EntropyL,
    OrderedTCloseness,
    RecursiveL,
    TCloseness,
)

Model = Literal["local", "full", "intervals"]
Effort = Literal["fast", "best"]
LKind = Literal["distinct", "entropy", "recursive"]
Distance = Literal["equal", "ordered"]

FORMATS = (".csv", ".parquet")

TAKEN = ("n", "people", "kept", "class", "known")
"""Names that frequency tables and labels have for columns of their own."""


@dataclass(frozen=True)
class Columns:
    """Which columns of the data do what; all others are left out.

    quasi_identifiers: leave as labels. sensitive, keep: leave as they are. person: whose rows count as one; never leaves.
    """

    quasi_identifiers: tuple[str, ...]
    sensitive: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    person: str | None = None

    def __post_init__(self) -> None:
        if not self.quasi_identifiers or "" in self.quasi_identifiers:
            raise PolicyError(
                "--qi: name the quasi-identifiers, separated by commas, such as --qi age,sex,zip"
            )
        roles = {"--qi": self.quasi_identifiers, "--sensitive": self.sensitive, "--keep": self.keep}
        roles["--person"] = () if self.person is None else (self.person,)
        given: dict[str, str] = {}
        for option, names in roles.items():
            for name in names:
                if name in given:
                    raise PolicyError(f"column {name} is in {given[name]} and in {option}; name it once")
                given[name] = option
        for name in self.counted():
            if name in TAKEN:
                raise PolicyError(
                    f"column {name}: that name is used in the counts; rename the column in the data"
                )

    def leaving(self) -> tuple[str, ...]:
        """All columns that leave."""
        return (*self.quasi_identifiers, *self.sensitive, *self.keep)

    def counted(self) -> tuple[str, ...]:
        """The columns that the frequency table is over."""
        return (*self.quasi_identifiers, *(() if self.person is None else (self.person,)), *self.sensitive)


@dataclass(frozen=True)
class Attribute:
    """What is asked of every sensitive column: l-diversity of a kind, t-closeness over a distance, or both."""

    l: float | None = None
    l_kind: LKind = "distinct"
    c: float | None = None
    t: float | None = None
    t_distance: Distance = "equal"

    def models(self) -> Iterator[ColumnModel]:
        """As the policy knows them."""
        if self.l is not None and self.l_kind == "entropy":
            yield EntropyL(model="entropy_l", l=self.l)
        elif self.l is not None and self.l_kind == "recursive":
            yield RecursiveL(model="recursive_l", l=self._whole(2), c=self._c())
        elif self.l is not None:
            yield DistinctL(model="distinct_l", l=self._whole(1))
        if self.t is not None and self.t_distance == "ordered":
            yield OrderedTCloseness(model="t_closeness", distance="ordered", t=self._share(self.t))
        elif self.t is not None:
            yield TCloseness(model="t_closeness", distance="equal", t=self._share(self.t))

    def _whole(self, least: int) -> int:
        l = self.l or 0
        if l != int(l) or l < least:
            raise PolicyError(f"--l {l:g}: {self.l_kind} l is a whole number, {least} or more")
        return int(l)

    def _c(self) -> float:
        if self.c is None or self.c <= 0:
            raise PolicyError("--l-kind recursive needs a number --c above 0")
        return self.c

    @staticmethod
    def _share(t: float) -> float:
        if not 0 <= t <= 1:
            raise PolicyError(f"--t {t:g}: a distance is from 0 to 1")
        return t


@dataclass(frozen=True)
class Request:
    """A table to make k-anonymous. suppression: share of the records that may be suppressed; seconds: of a full search."""

    columns: Columns
    k: int
    suppression: float = 0.0
    model: Model = "local"
    effort: Effort | None = None
    attribute: Attribute = field(default_factory=Attribute)
    weights: Mapping[str, float] = field(default_factory=dict)
    caps: Mapping[str, str] = field(default_factory=dict)
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.k < 1:
            raise PolicyError(f"--k {self.k}: a class has at least one person")
        if not 0 <= self.suppression <= 1:
            raise PolicyError(f"--suppression {self.suppression:g}: a share is from 0 to 1")
        if self.attribute.c is not None and self.attribute.l_kind != "recursive":
            raise PolicyError("--c belongs to --l-kind recursive")
        if bool(self.columns.sensitive) != bool(self.sensitive_models()):
            raise PolicyError(
                "sensitive columns and models belong together: --sensitive COLUMN with --l or --t"
            )
        if self.model == "full" and self.effort is not None:
            raise PolicyError("--effort belongs to --model local and intervals; a full search is exact")
        if self.model != "full" and self.seconds is not None:
            raise PolicyError("--seconds belongs to --model full; write --effort fast for less work")
        for option, given in (("--weight", self.weights), ("--cap", self.caps)):
            for name in given:
                if name not in self.columns.quasi_identifiers:
                    raise PolicyError(f"{option} {name}: no quasi-identifier of that name in --qi")

    def sensitive_models(self) -> tuple[ColumnModel, ...]:
        """The models that hold for every sensitive column."""
        return tuple(self.attribute.models())


def require_output(out: Path, solution: Path | None, files: tuple[Path, ...], *, force: bool) -> None:
    """Refuses an output of unknown format, a file that is there already (unless forced), and the data itself."""
    if out.suffix.lower() not in FORMATS:
        raise PolicyError(f"{out.name}: the output is a file that ends in .csv or .parquet")
    _require_free(out, files, force=force)
    if solution is not None:
        if solution.resolve() == out.resolve():
            raise PolicyError(f"{out.name} cannot be the output and the solution; name two files")
        _require_free(solution, files, force=force)


def _require_free(out: Path, files: tuple[Path, ...], *, force: bool) -> None:
    if not out.absolute().parent.is_dir():
        raise StorageError(f"{out}: its folder is not there; make it first")
    if out.is_dir():
        raise StorageError(f"{out} is a folder; name a file")
    if out.resolve() in {file.resolve() for file in files}:
        raise PolicyError(f"{out.name} is the data itself, which is never overwritten; name another file")
    if out.exists() and not force:
        raise StorageError(f"{out} is there already; name another file, or write --force")
