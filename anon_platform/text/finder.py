"""What identifies in a text: the rules of a language, what the record tells, a model for what is left, all mentions."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from anon_platform.text.document import Document
from anon_platform.text.language import Language
from anon_platform.text.lexicon import words
from anon_platform.text.propagate import mentions
from anon_platform.text.record import Record
from anon_platform.text.rules.addresses import addresses
from anon_platform.text.rules.ages import ages
from anon_platform.text.rules.contacts import contacts, phones
from anon_platform.text.rules.dates import dates
from anon_platform.text.rules.facilities import facilities
from anon_platform.text.rules.fields import fields
from anon_platform.text.rules.letters import letters
from anon_platform.text.rules.names import names
from anon_platform.text.rules.numbers import labelled_numbers, numbers
from anon_platform.text.rules.places import places
from anon_platform.text.spans import Span, resolved

if TYPE_CHECKING:
    from anon_platform.text.ner import NamedEntities

Rule = Callable[[Document], Iterator[Span]]

RULES: tuple[Callable[[Language], Rule], ...] = (
    contacts, phones, numbers, labelled_numbers, dates, ages, addresses, facilities, places, names, fields, letters,
)  # fmt: skip


@dataclass(frozen=True)
class Note:
    """A text to search. record: values of the same row and of the patient's other rows, by column name."""

    text: str | None
    record: Mapping[str, object] = field(default_factory=dict)


@dataclass
class Finder:
    """Finds spans in notes.

    model: what the models find; None finds by rules alone. custom: recognizers of the user. allowed: folded texts that are never found.
    """

    language: Language
    model: "NamedEntities | None" = None
    custom: Sequence[Callable[[str], Iterable[Span]]] = ()
    allowed: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Patterns are compiled once."""
        self._rules = tuple(make(self.language) for make in RULES)
        self._words = words(self.language)

    def find(self, notes: Sequence[Note]) -> list[list[Span]]:
        """The spans of each note, in order, none overlapping; a null text has none.

        What is found in a note depends on that note alone, not on its neighbours or the size of the batch.
        """
        documents = [Document(note.text or "", self._words) for note in notes]
        found = [self._by_rules(document, note) for document, note in zip(documents, notes, strict=True)]
        if self.model is not None:
            for spans, more in zip(found, self.model.find(documents, found), strict=True):
                spans.extend(more)
        return [self._settled(document, spans) for document, spans in zip(documents, found, strict=True)]

    def _by_rules(self, document: Document, note: Note) -> list[Span]:
        spans = [span for rule in self._rules for span in rule(document)]
        for recognizer in self.custom:
            spans.extend(recognizer(document.text))
        if note.record:
            spans.extend(Record(note.record, self.language).spans(document))
        return spans

    def _settled(self, document: Document, spans: list[Span]) -> list[Span]:
        spans = [*spans, *mentions(document, spans, self.language)]
        settled = resolved(spans, document.text)
        if not self.allowed:
            return settled
        return [
            span for span in settled if document.text[span.start : span.end].casefold() not in self.allowed
        ]
