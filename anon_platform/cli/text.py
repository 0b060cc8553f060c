"""`anon find-text` and `anon evaluate-text`: identifiers in free text, and how many of them are found."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from anon_platform.cli.terminal import AsJson, err, json_out, out, progress_bars
from anon_platform.errors import PolicyError, SourceError

if TYPE_CHECKING:  # imported where it is used: help must not wait for the model
    from rich.table import Table

    from anon_platform.text.evaluate import Evaluation, Score
    from anon_platform.text.gold import Gold
    from anon_platform.text.settings import TextSettings
    from anon_platform.text.spans import Span

SHOWN = 20
"""Bad lines that are told one by one."""

Config = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Settings in YAML: language, model, second_model, recognizers, allow, time_limit.",
    ),
]
LanguageName = Annotated[
    str | None, typer.Option("--language", metavar="NAME", help="en, es, or a YAML file of a language.")
]
NoModel = Annotated[bool, typer.Option("--no-model", help="Find by rules and lists alone.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes; as many as pay if left out.")]


def find_text(
    source: Annotated[Path, typer.Argument(metavar="IN.jsonl", help="A line a note: {id, text}.")],
    *,
    output: Annotated[
        Path, typer.Option("-o", "--out", metavar="OUT.jsonl", help="A line a note: {id, spans}.")
    ],
    config: Config = None,
    language: LanguageName = None,
    workers: Workers = None,
    no_model: NoModel = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave out lines that are no notes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Find what identifies people in notes: names, places, dates, numbers.

    A line may have a record, {column: value}, and a patient: what the record and the patient's other records name is found in any spelling. Spans are in characters from 0, the end exclusive, and do not overlap.

    [bold]anon find-text notes.jsonl -o found.jsonl[/bold]
    """
    from anon_platform.text.stream import find_in_file

    settings = _settings(config, language, no_model=no_model)
    with progress_bars(quiet=as_json) as progress:
        outcome = find_in_file(
            source, output, settings, workers=workers, skip_bad=skip_bad,
            hear=lambda done, total: progress("bytes of notes", done, total),
        )  # fmt: skip
    for number, fault in outcome.bad[:SHOWN]:
        err.print(f"left out: line {number} {fault}", highlight=False, soft_wrap=True)
    if len(outcome.bad) > SHOWN:
        err.print(f"and {len(outcome.bad) - SHOWN:,} more lines", highlight=False)
    if as_json:
        json_out({"notes": outcome.notes, "left_out": [number for number, _ in outcome.bad]})
    else:
        out.print(f"{outcome.notes:,} notes searched; what was found is in {output}", soft_wrap=True)


def evaluate_text(
    gold: Annotated[
        Path,
        typer.Argument(metavar="GOLD.jsonl", help="A line a note: {id, text, spans: [{start, end, label}]}."),
    ],
    *,
    found: Annotated[
        Path | None, typer.Option(metavar="OUT.jsonl", help="What find-text wrote; found now if left out.")
    ] = None,
    config: Config = None,
    language: LanguageName = None,
    no_model: NoModel = False,
    as_json: AsJson = False,
) -> None:
    """Measure against gold data of your own: how many characters of each type are found, and how sure that is.

    Recall is of characters, its 95 % interval from a bootstrap over documents; whole is the share of entities found to the last letter, with Wilson's interval. Titles are cut from names, blanks do not count, organizations and ages have scores of their own.

    [bold]anon evaluate-text gold.jsonl[/bold]
    """
    from anon_platform.text.evaluate import evaluate
    from anon_platform.text.gold import read_found, read_gold

    settings = _settings(config, language, no_model=no_model)
    notes = read_gold(gold)
    if found is None:
        spans = _found_now(notes, settings)
    else:
        import json

        by_id = read_found(found)
        if missing := sum(json.dumps(note.id) not in by_id for note in notes):
            raise SourceError(
                f"{found}: lacks {missing:,} of {len(notes):,} notes of {gold}; write it anew with: anon find-text"
            )
        spans = [by_id[json.dumps(note.id)] for note in notes]
    result = evaluate(notes, spans, language=settings.language)
    if as_json:
        json_out(_as_json(result))
    else:
        out.print(_table(result))
        out.print(_summary(result), soft_wrap=True)


def _found_now(notes: "list[Gold]", settings: "TextSettings") -> "list[tuple[Span, ...]]":
    from anon_platform.text.finder import Note
    from anon_platform.text.making import finder_of

    finder = finder_of(settings)
    batches = (notes[at : at + 256] for at in range(0, len(notes), 256))
    return [tuple(spans) for batch in batches for spans in finder.find([Note(note.text) for note in batch])]


def _settings(config: Path | None, language: str | None, *, no_model: bool) -> "TextSettings":
    from anon_platform.text.language import language as spoken
    from anon_platform.text.settings import TextSettings, load_settings

    settings = TextSettings() if config is None else load_settings(config)
    if language is not None:
        if config is not None and "language" in settings.model_fields_set and settings.language != language:
            raise PolicyError(
                f"--language {language}: {config} says {settings.language}; leave out one of them"
            )
        settings = settings.model_copy(update={"language": language})
    if no_model:
        settings = settings.model_copy(update={"model": False, "second_model": None})
    if settings.second_model is None and not (settings.model and spoken(settings.language).model):
        err.print(
            "WARNING: no model: names and places that no rule or list knows are NOT found",
            style="bold red",
            soft_wrap=True,
        )
    return settings


def _as_json(result: "Evaluation") -> dict[str, object]:
    return {
        **vars(result), "overall": vars(result.overall), "by_label": {label: vars(score) for label, score in result.by_label.items()},
    }  # fmt: skip


def _table(result: "Evaluation") -> "Table":
    from rich.table import Table

    table = Table(box=None)
    for heading in ("type", "entities", "characters", "recall", "95 % (documents)", "whole", "95 % (Wilson)"):
        table.add_column(heading, justify="left" if heading == "type" else "right")
    for label, score in (*result.by_label.items(), ("all", result.overall)):
        table.add_row(label, f"{score.entities:,}", f"{score.characters:,}", *_cells(score))
    return table


def _cells(score: "Score") -> tuple[str, str, str, str]:
    if score.recall is None or score.whole is None:
        return "–", "–", "–", "–"
    return (
        f"{score.recall:.4f}", f"{score.low:.4f} – {score.high:.4f}", f"{score.whole:.4f}",
        f"{score.whole_low:.4f} – {score.whole_high:.4f}",
    )  # fmt: skip


def _summary(result: "Evaluation") -> str:
    precision = "–" if result.precision is None else f"{result.precision:.4f}"
    touched = (
        f"; touched {result.touched:,} of {result.negatives:,} notes without gold" if result.negatives else ""
    )
    return f"{result.documents:,} notes; precision {precision}; {result.covered:.2%} of all characters found{touched}"
