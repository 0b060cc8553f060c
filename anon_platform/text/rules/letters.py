"""Names in letters: the one greeted on a line of its own, the one who signs below `Regards`."""

import re
from collections.abc import Callable, Iterator

from anon_platform.text.document import Document
from anon_platform.text.language import Language
from anon_platform.text.lexicon import NAME, WORD, fold
from anon_platform.text.rules.wording import any_of
from anon_platform.text.spans import LIKELY, Span

_GREETED = re.compile(r"^[ \t]*([A-Z][\w'’-]+)[ \t]*,[ \t]*$", re.MULTILINE)


def letters(language: Language) -> Callable[[Document], Iterator[Span]]:
    """The rule for PERSON at the head and the foot of a letter."""
    signed = re.compile(
        rf"^[ \t]*(?i:{any_of(language.closings)})[ \t]*[,.!]*[ \t]*\n{{1,3}}[ \t~*-]*"
        rf"(?P<name>[A-Z][\w'’-]*\.?(?: [A-Z][\w'’.-]*){{0,3}})[ \t]*$",
        re.MULTILINE,
    )
    closings = frozenset(language.closings)

    def find(document: Document) -> Iterator[Span]:
        if "\n" not in document.text:
            return
        for match in _GREETED.finditer(document.text):
            kind = document.lists.kinds.get(fold(match[1]), 0)
            if (kind & NAME or not kind & WORD) and fold(match[1]) not in closings:
                yield Span(match.start(1), match.end(1), "PERSON", LIKELY)
        for match in signed.finditer(document.text):
            words = [document.lists.kinds.get(fold(word), 0) for word in match["name"].split()]
            if not all(kind & (WORD | NAME) == WORD for kind in words):
                yield Span(match.start("name"), match.end("name"), "PERSON", LIKELY)

    return find
