"""Rules of what the data is for: limits that could not be measured, and columns that queries and groups may name."""

from collections.abc import Iterator

from anon_platform.policy.faults import Path_, did_you_mean
from anon_platform.policy.model import Model
from anon_platform.policy.rules.privacy import Broken, Draft
from anon_platform.policy.utility import ANALYTICS, MODEL_TRAINING, Utility


def utility_rules(draft: Draft) -> Iterator[Broken]:
    """Every broken rule with the place of the node that breaks it."""
    model, utility = draft.parts.get("model"), draft.parts.get("utility")
    if isinstance(model, Model) and draft.names:
        yield from _groups(model, draft)
    if isinstance(utility, Utility):
        yield from _limits(utility, model, draft)
        yield from _queries(utility, draft)


def _groups(model: Model, draft: Draft) -> Iterator[Broken]:
    for name, values in model.groups.items():
        at: Path_ = ("model", "groups", name)
        if name not in draft.names:
            yield at, draft.no_column(name)
        elif len(set(map(str, values))) < len(values):
            yield at, "a group stands twice; keep one"
        elif name in draft.columns and draft.columns[name].role in {"direct_identifier", "free_text"}:
            yield at, "a column of this role has no groups of people; name another, or leave it out"
    for i, learner in enumerate(model.learners):
        if learner in model.learners[:i]:
            yield ("model", "learners", i), "this learner stands twice; keep one"


def _limits(utility: Utility, model: object, draft: Draft) -> Iterator[Broken]:
    given = [name for name in (*ANALYTICS, *MODEL_TRAINING) if getattr(utility, name, None) is not None]
    for name in given:
        if name in MODEL_TRAINING and model is None and draft.whole:
            yield ("utility", name), "the policy has no model to measure it on; add model: …, or remove it"
    if utility.group_loss is not None and isinstance(model, Model) and not model.groups:
        yield (
            ("utility", "group_loss"),
            "the model names no groups; add groups: {…} below model, or remove it",
        )
    if utility.mode == "model_training" and model is None and draft.whole:
        yield ("utility", "mode"), "the policy has no model; add model: …, or write mode: analytics"
    if utility.information_loss is not None and draft.whole and not draft.leaving("quasi_identifier"):
        yield (
            ("utility", "information_loss"),
            "no quasi-identifier leaves that could lose anything; remove it",
        )


def _queries(utility: Utility, draft: Draft) -> Iterator[Broken]:
    names = [query.name for query in utility.queries]
    for i, query in enumerate(utility.queries):
        at: Path_ = ("utility", "queries", i)
        if query.name in names[:i]:
            yield (*at, "name"), "a query of this name stands above; give this one another name"
        places = [((*at, "where", column), column) for column in query.where]
        places += [((*at, "average"), query.average)] if query.average is not None else []
        places += [((*at, "group_by"), query.group_by)] if query.group_by is not None else []
        for place, name in places:
            yield from _asked(place, name, draft)


def _asked(at: Path_, name: str, draft: Draft) -> Iterator[Broken]:
    column = draft.columns.get(name)
    if draft.names and name not in draft.names:
        close = did_you_mean(name, draft.names)
        yield at, f"no such column under columns{close or '; name one that leaves'}"
    elif column is not None and (column.suppressed or column.role == "free_text"):
        yield at, "nobody can ask about a column that does not leave as values; name another"
