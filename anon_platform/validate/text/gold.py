"""How much of what people marked in notes of the source is found, with the settings of the release."""

from dataclasses import asdict
from typing import Any

import polars as pl

from anon_platform.anonymize import DeidentifyText
from anon_platform.errors import SourceError
from anon_platform.table import PERSON, ROW, with_other_rows
from anon_platform.text.evaluate import Evaluation, evaluate
from anon_platform.text.finder import Note
from anon_platform.text.gold import Gold
from anon_platform.text.making import finder_of
from anon_platform.text.spans import Span
from anon_platform.validate.evidence import Evidence
from anon_platform.validate.metric import Metric, least

NOTES = 1_000
"""Notes that are looked at, drawn from all that are marked: their interval is narrow, and each takes milliseconds."""

SEED = 7

_OF = "__gold__"


def measure_text_gold(evidence: Evidence) -> tuple[list[Metric], dict[str, Any]]:
    """For each text column with gold notes the recall, by the lower end of its interval; and the evaluation by type."""
    metrics, detail = [], {}
    for name in evidence.policy.released:
        for step in evidence.policy.columns[name].treat:
            if isinstance(step, DeidentifyText) and step.gold is not None:
                found = evaluated(evidence, name, step)
                detail[name] = asdict(found)
                metrics.append(_metric(name, found, evidence.policy.thresholds.text_recall))
    return metrics, detail


def _metric(name: str, found: Evaluation, wanted: float | None) -> Metric:
    low, recall = found.overall.low or 0.0, found.overall.recall or 0.0
    unit = "share of marked characters, lower end of 95 %"
    metric = least("text_deidentification", f"recall in {name}", low, wanted, unit)
    note = f"{recall:.4f} of the marked characters were found, in {found.documents} notes"
    return metric.model_copy(update={"note": f"{metric.note}; {note}" if metric.note else note})


def evaluated(evidence: Evidence, name: str, step: DeidentifyText) -> Evaluation:
    """The evaluation on a sample of the notes that are marked, each with what its row and the person's others hold."""
    assert step.gold is not None
    known = [column for column in step.known_from if column != name]
    spans = _spans(step)
    ids = spans[_OF].unique().sort()
    sample = ids.sample(min(NOTES, len(ids)), seed=SEED).to_frame()
    columns = list(dict.fromkeys([ROW, PERSON, step.gold.row, name, *known]))
    rows = pl.concat(
        batch.with_columns(pl.col(step.gold.row).cast(pl.String).alias(_OF)).join(sample, on=_OF, how="semi")
        for batch in evidence.source.batches(columns)
    ).drop_nulls(name)
    if not rows.height:
        raise SourceError(
            f"column {name}: none of the notes marked in gold is in the source; correct gold.path or gold.row"
        )
    marked = spans.join(rows.select(_OF), on=_OF, how="semi").partition_by(_OF, as_dict=True)
    told = with_other_rows(evidence.source, known).joined(rows)
    records = told.select(known).to_dicts() if known else [{}] * told.height
    notes = [Note(text, record) for text, record in zip(told[name], records, strict=True)]
    gold = [
        Gold(number, note.text or "", _of_note(marked.get((of,))))
        for number, (of, note) in enumerate(zip(told[_OF], notes, strict=True))
    ]
    return evaluate(gold, finder_of(step.search()).find(notes), language=step.language)


def _spans(step: DeidentifyText) -> pl.DataFrame:
    """The spans with the note's id as text in `_OF`."""
    assert step.gold is not None
    columns = [step.gold.row, "start", "end", "label"]
    found = None
    try:
        if step.gold.files:
            found = pl.concat(pl.read_parquet(file, columns=columns, glob=False) for file in step.gold.files)
    except (pl.exceptions.PolarsError, OSError):
        found = None
    if found is None or not found.height:
        raise SourceError(
            f"there are no marked notes at {step.gold.path}, as Parquet with the columns {', '.join(columns)};"
            " correct gold.path, or remove gold"
        )
    return found.rename({step.gold.row: _OF}).with_columns(pl.col(_OF).cast(pl.String))


def _of_note(frame: pl.DataFrame | None) -> tuple[Span, ...]:
    if frame is None:
        return ()
    columns = frame.select("start", "end", "label").iter_rows()
    return tuple(Span(start, end, label) for start, end, label in columns)
