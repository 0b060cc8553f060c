"""The named entities of the language's spaCy model."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from anon_platform.errors import PolicyError
from anon_platform.text.language import Language
from anon_platform.text.lexicon import BLOCKED, CREDENTIAL, TITLE, WORD, fold, words
from anon_platform.text.ner.plausible import LONG, Entity
from anon_platform.text.ner.unexplained import Entities

if TYPE_CHECKING:
    from spacy.language import Language as Pipeline

_WORDS = re.compile(r"[^\W\d_]{2,}")

LABELS = {
    "PERSON": "PERSON", "PER": "PERSON", "GPE": "LOCATION", "LOC": "LOCATION", "FAC": "LOCATION", "ORG": "ORGANIZATION",
}  # fmt: skip
"""Labels of spaCy's models that say something of a person, and ours for them."""

BATCH = 64


class Spacy:
    """A spaCy model, its word vectors and entity parts only."""

    def __init__(self, language: Language) -> None:
        """Raises PolicyError where the model is not installed."""
        self.pipeline = _load(language)
        self._kinds = words(language).kinds

    def entities(self, sentences: Sequence[str]) -> list[Entities]:
        """The people, places and organizations of each sentence."""
        cased = (with_usual_capitals(sentence, self._kinds) for sentence in sentences)
        return [
            tuple(
                Entity(entity.start_char, entity.end_char, LABELS[entity.label_])
                for entity in told.ents
                if entity.label_ in LABELS
            )
            for told in self.pipeline.pipe(cased, batch_size=BATCH)
        ]


def _load(language: Language) -> "Pipeline":
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of libraries about each other
        import spacy

        try:
            return spacy.load(
                str(language.model),
                exclude=["tagger", "parser", "attribute_ruler", "lemmatizer", "senter", "morphologizer"],
            )
        except OSError:
            raise PolicyError(
                f"language {language.language}: its model {language.model} is not installed; install it, or find by"
                " rules alone with --no-model"
            ) from None


def with_usual_capitals(sentence: str, kinds: Mapping[str, int]) -> str:
    """The sentence as a model has learnt them, as long as it was.

    Of words in capitals the first letter stays one; in a sentence without capitals, words that are no plain words get one.

    >>> with_usual_capitals("SEEN BY JOHN SMITH", {}), with_usual_capitals("Seen by JOHN", {})
    ('Seen By John Smith', 'Seen by JOHN')
    >>> with_usual_capitals("seen by zoltan", {"seen": WORD, "by": WORD})
    'seen by Zoltan'
    """
    letters = [letter for letter in sentence if letter.isalpha()]
    capitals = sum(map(str.isupper, letters))
    if len(letters) >= 8 and capitals >= 0.8 * len(letters):  # noqa: PLR2004
        cased = _WORDS.sub(lambda word: word.group()[0] + word.group()[1:].lower(), sentence)
    elif capitals == 0:
        cased = _WORDS.sub(lambda word: _capitalized(word.group(), kinds), sentence)
    else:
        return sentence
    return cased if len(cased) == len(sentence) else sentence


def _capitalized(word: str, kinds: Mapping[str, int]) -> str:
    plain = len(word) < LONG or kinds.get(fold(word), 0) & (WORD | BLOCKED | TITLE | CREDENTIAL)
    return word if plain else word[0].upper() + word[1:]
