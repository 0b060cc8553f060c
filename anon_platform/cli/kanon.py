"""`anon kanon`: a table made k-anonymous with hierarchy files, without a policy."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from anon_platform.cli.terminal import AsJson, Exit, err, json_out, out, progress_bars
from anon_platform.errors import HierarchyGapError, PolicyError

if TYPE_CHECKING:  # imported where it is used: help must not wait for the engines
    from anon_platform.kanon import Files, Outcome, Request

T = TypeVar("T", float, str)

DEMANDS, TUNING, FILES = "What must hold", "How it is searched", "Files"


class Model(StrEnum):
    """How values are generalized."""

    LOCAL = "local"
    FULL = "full"
    INTERVALS = "intervals"


class Effort(StrEnum):
    """How long local recoding tries."""

    FAST = "fast"
    BEST = "best"


class LKind(StrEnum):
    """What l counts."""

    DISTINCT = "distinct"
    ENTROPY = "entropy"
    RECURSIVE = "recursive"


class Distance(StrEnum):
    """How far values are apart."""

    EQUAL = "equal"
    ORDERED = "ordered"


class EngineName(StrEnum):
    """What counts the rows."""

    POLARS = "polars"
    DUCKDB = "duckdb"


def kanon(
    data: Annotated[
        str, typer.Argument(metavar="DATA", help="CSV or Parquet: a file, a folder, or a glob in quotes.")
    ],
    *,
    hierarchies: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of hierarchy files: X.csv, or *hierarchy_X.csv.")
    ],
    output: Annotated[
        Path,
        typer.Option("-o", "--out", metavar="FILE", help="Ends in .csv or .parquet.", rich_help_panel=FILES),
    ],
    qi: Annotated[
        str | None,
        typer.Option("--qi", metavar="A,B,C", help="The quasi-identifiers.", rich_help_panel=DEMANDS),
    ] = None,
    k: Annotated[
        int | None, typer.Option("--k", help="People in a class, at least.", rich_help_panel=DEMANDS)
    ] = None,
    suppression: Annotated[
        float, typer.Option(help="Share of records that may be suppressed, 0 to 1.", rich_help_panel=DEMANDS)
    ] = 0.0,
    person: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="Whose rows count as one; never leaves.", rich_help_panel=DEMANDS
        ),
    ] = None,
    sensitive: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="May be repeated; needs --l or --t.", rich_help_panel=DEMANDS),
    ] = None,
    l: Annotated[float | None, typer.Option("--l", help="l-diversity.", rich_help_panel=DEMANDS)] = None,
    l_kind: Annotated[
        LKind,
        typer.Option(metavar="KIND", help="distinct, entropy or recursive values.", rich_help_panel=DEMANDS),
    ] = LKind.DISTINCT,
    c: Annotated[float | None, typer.Option("--c", help="For recursive l.", rich_help_panel=DEMANDS)] = None,
    t: Annotated[float | None, typer.Option("--t", help="t-closeness.", rich_help_panel=DEMANDS)] = None,
    t_distance: Annotated[
        Distance,
        typer.Option(
            metavar="KIND", help="equal or ordered, for numbers and dates.", rich_help_panel=DEMANDS
        ),
    ] = Distance.EQUAL,
    model: Annotated[
        Model,
        typer.Option(
            metavar="NAME",
            help="local: each class its own labels; full: one level a column, optimal; intervals: as local, with"
            " intervals and sets.",
            rich_help_panel=TUNING,
        ),
    ] = Model.LOCAL,
    effort: Annotated[
        Effort | None, typer.Option(help="local, intervals; best if left out.", rich_help_panel=TUNING)
    ] = None,
    weight: Annotated[
        list[str] | None,
        typer.Option(
            metavar="A=2", help="What a column's loss counts; 1 if left out.", rich_help_panel=TUNING
        ),
    ] = None,
    cap: Annotated[
        list[str] | None,
        typer.Option(metavar="A=LEVEL", help="Coarsest level: value, level 1, …", rich_help_panel=TUNING),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(min=0, help="full: stop then, with the best so far.", rich_help_panel=TUNING),
    ] = None,
    engine: Annotated[
        EngineName, typer.Option(help="What counts the rows.", rich_help_panel=TUNING)
    ] = EngineName.POLARS,
    memory: Annotated[
        str | None, typer.Option(metavar="2GB", help="duckdb: beyond it on disk.", rich_help_panel=TUNING)
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(metavar="X,Y", help="Other columns that leave as they are.", rich_help_panel=FILES),
    ] = None,
    solution: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what new rows need.", rich_help_panel=FILES)
    ] = None,
    apply: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A solution, for new rows.", rich_help_panel=FILES)
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite the output.", rich_help_panel=FILES)
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a table k-anonymous: quasi-identifiers become labels of their hierarchies, so that k people look alike.

    DATA is CSV (comma, semicolon or tab) or Parquet: a file, a folder, or a glob in quotes. A hierarchy file is ARX's: a line a value, coarser labels to the right (23;20-29;20-39). Rows keep their order; columns that no option names do not leave. What was written is measured again, and deleted if it does not hold.

    [bold]anon kanon adult.csv --hierarchies h --qi age,sex,zip --k 5 -o out.csv[/bold]

    [bold]anon kanon adult.parquet --hierarchies h --qi age,sex --k 5 --model full --suppression 0.05 --sensitive illness --l 3 --solution found.json -o out.parquet[/bold]

    [bold]anon kanon new.csv --hierarchies h --apply found.json -o new_out.csv[/bold]
    """
    from anon_platform.kanon import Attribute, Columns, Files, Request

    files = Files(data, hierarchies, output, force, solution, _memory(engine, memory))
    if apply is not None:
        _require_only_applied(qi=qi, k=k, sensitive=sensitive, l=l, t=t, solution=solution, person=person)
        _apply(files, apply, _names(keep), as_json=as_json)
        return
    if qi is None or k is None:
        raise PolicyError(
            "--qi and --k have no default: name the quasi-identifiers, and the people in a class"
        )
    columns = Columns(_names(qi), tuple(sensitive or ()), _names(keep), person)
    attribute = Attribute(l, l_kind.value, c, t, t_distance.value)
    request = Request(
        columns,
        k,
        suppression,
        model.value,
        None if effort is None else effort.value,
        attribute,
        {name: _number("--weight", name, text) for name, text in _pairs("--weight", weight)},
        dict(_pairs("--cap", cap)),
        seconds,
    )
    _anonymize(files, request, as_json=as_json)


def _anonymize(files: "Files", request: "Request", *, as_json: bool) -> None:
    from anon_platform.cli.show_kanon import made
    from anon_platform.kanon import anonymize

    try:
        with progress_bars(quiet=as_json) as progress:
            outcome = anonymize(files, request, progress)
    except HierarchyGapError as gap:
        # this is the terminal of the person who has the data; what is logged is the message alone
        err.print("error", style="bold red", end=" ")
        err.print(str(gap), highlight=False, soft_wrap=True)
        for value in gap.missing:
            err.print(f"  {value!r}", highlight=False, soft_wrap=True)
        if gap.more:
            err.print(f"  and {gap.more:,} more", highlight=False)
        raise typer.Exit(Exit.POLICY) from None
    _tell(outcome)
    if as_json:
        json_out(outcome.result)
    else:
        out.print(made(outcome.result, files.out))


def _apply(files: "Files", solution: Path, keep: tuple[str, ...], *, as_json: bool) -> None:
    from anon_platform.cli.show_kanon import applied
    from anon_platform.kanon import apply, load

    with progress_bars(quiet=as_json) as progress:
        outcome = apply(files, load(solution), keep, progress)
    _tell(outcome)
    if as_json:
        json_out(outcome.result)
    else:
        out.print(applied(outcome.result, files.out))


def _tell(outcome: "Outcome") -> None:
    if outcome.left_out:
        err.print(
            f"left out, since no option names them: {', '.join(outcome.left_out)}",
            highlight=False,
            soft_wrap=True,
        )


def _require_only_applied(**given: Any) -> None:  # noqa: ANN401 - options of any type
    if wrong := [name for name, value in given.items() if value not in (None, [])]:
        raise PolicyError(f"--apply takes all demands from the solution; leave out --{', --'.join(wrong)}")


def _names(text: str | None) -> tuple[str, ...]:
    return () if text is None else tuple(name.strip() for name in text.split(","))


def _pairs(option: str, given: Sequence[str] | None) -> list[tuple[str, str]]:
    pairs = [text.rpartition("=")[::2] for text in given or ()]
    if any(not name or not value for name, value in pairs):
        raise PolicyError(f"{option}: write a column, = and a value, such as {option} age=2")
    return pairs


def _number(option: str, name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise PolicyError(f"{option} {name}: write a number, such as {option} {name}=2") from None


def _memory(engine: EngineName, memory: str | None) -> int | None:
    """Bytes that DuckDB may use; None for Polars."""
    from pydantic import ValidationError

    from anon_platform.policy import Engine
    from anon_platform.table import on_duckdb

    try:
        limit = Engine(kind=engine.value, memory_limit=memory).memory_bytes
    except ValidationError as faulty:
        told = "; ".join(fault["msg"].removeprefix("Value error, ") for fault in faulty.errors())
        raise PolicyError(f"--memory: {told}") from None
    return (limit or on_duckdb.MEMORY_LIMIT) if engine is EngineName.DUCKDB else None
