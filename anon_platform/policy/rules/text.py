"""Rules of free text: where it may be de-identified, and what it is searched for."""

from collections.abc import Iterator, Sequence

from anon_platform.anonymize import DeidentifyText, OfPeople, OfRows
from anon_platform.policy.model import Model
from anon_platform.policy.rules.privacy import Broken, Draft
from anon_platform.policy.thresholds import Thresholds


def text_rules(draft: Draft) -> Iterator[Broken]:
    """Every broken rule with the place of the node that breaks it."""
    texts, steps = [], []
    for name, column in draft.columns.items():
        for i, step in enumerate(column.treat):
            if isinstance(step, DeidentifyText):
                texts.append(name)
                steps.append(step)
                yield from _step(draft, name, i, step)
    yield from _recall(draft, steps)
    model = draft.parts.get("model")
    for i, name in enumerate(model.features if isinstance(model, Model) else ()):
        if name in texts:
            yield (
                ("model", "features", i),
                "a text that is de-identified record by record is no feature; leave it out",
            )


def _recall(draft: Draft, steps: Sequence[DeidentifyText]) -> Iterator[Broken]:
    """A demand that nothing could meet or miss."""
    thresholds = draft.parts.get("thresholds")
    wanted = thresholds.text_recall if isinstance(thresholds, Thresholds) else None
    if wanted is not None and draft.whole and steps and all(step.gold is None for step in steps):
        message = (
            "no text has gold notes to measure on, so that this guards nothing; write gold: {path: …, row: …} in"
            " deidentify_text, or remove it"
        )
        yield ("thresholds", "text_recall"), message
    reviewed = thresholds.reviewed_recall if isinstance(thresholds, Thresholds) else None
    if reviewed is not None and draft.whole and not steps:
        message = "no column is treated by deidentify_text, so that there is nothing to review; remove it"
        yield ("thresholds", "reviewed_recall"), message


def _step(draft: Draft, name: str, place: int, step: DeidentifyText) -> Iterator[Broken]:
    column, at = draft.columns[name], ("columns", name, "treat", place)
    if column.role != "free_text":
        yield at, "deidentify_text is for columns of role free_text; give the column this role"
    if len(column.treat) > 1:
        yield at, "deidentify_text reads the text as it is; write it alone"
    if step.gold is not None and step.gold.row not in draft.names:
        yield (*at, "gold", "row"), draft.no_column(step.gold.row)
    for i, known in enumerate(step.known_from):
        if known not in draft.names:
            yield (*at, "known_from", i), draft.no_column(known)
        elif known == name or known in step.known_from[:i]:
            yield (*at, "known_from", i), "name each other column once; remove this one"
        elif known in draft.columns and any(
            isinstance(s, OfRows | OfPeople) for s in draft.columns[known].treat
        ):
            yield (
                (*at, "known_from", i),
                "this column is changed row by row before the text is searched; remove it, or its pram, rank_swap, noise or shift_dates",
            )
