"""All mentions of a name that was found once: parts alone, in capitals, with initials, misspelt by one letter."""

from collections.abc import Iterator

from anon_platform.text.document import Document
from anon_platform.text.language import Language
from anon_platform.text.lexicon import BLOCKED, COMMON_GIVEN, PLACE, WORD, fold
from anon_platform.text.rules.eponyms import Eponyms
from anon_platform.text.spans import LIKELY, POSSIBLE, Span

SURE = LIKELY
"""A name found with less confidence is not looked for elsewhere."""

LONG = 6
"""Letters of a name whose misspellings are looked for."""


def mentions(document: Document, spans: list[Span], language: Language) -> Iterator[Span]:
    """Spans of further mentions of the names among the spans; never plain words in small letters."""
    names = _known(
        document, [span for span in spans if span.label == "PERSON" and span.score >= SURE], language
    )
    if not names:
        return
    eponyms = Eponyms(language)
    for name in names:
        for number in document.by_word.get(name, ()):
            if _is_mention(document, number) and not eponyms.in_term(document, number):
                yield Span(document.starts[number], document.ends[number], "PERSON", POSSIBLE)
    yield from _misspelt(document, {name for name in names if len(name) >= LONG})


def _known(document: Document, spans: list[Span], language: Language) -> set[str]:
    """Words of the names, without initials, particles, titles and calendar words."""
    left_out = {*language.particles, *language.titles, *language.suffixes, *language.credentials}
    known: set[str] = set()
    for span in spans:
        for part in document.text[span.start : span.end].replace(",", " ").split():
            word = fold(part)
            if len(word) > 2 and word not in left_out and not document.lists.kinds.get(word, 0) & BLOCKED:  # noqa: PLR2004
                known.add(word)
    return known


def _is_mention(document: Document, number: int) -> bool:
    if document.capitalized[number]:
        return not (document.kinds[number] & WORD and document.opens_sentence(number))
    return not document.kinds[number] & (WORD | PLACE) or bool(
        document.kinds[number] & COMMON_GIVEN and not document.kinds[number] & WORD
    )


def _misspelt(document: Document, names: set[str]) -> Iterator[Span]:
    """Capitalized words in no list that are one letter away from a long name."""
    if not names:
        return
    for word, numbers in document.by_word.items():
        if len(word) < LONG - 1 or document.lists.kinds.get(word, 0) or word in names:
            continue
        if any(abs(len(word) - len(name)) <= 1 and is_one_edit(word, name) for name in names):
            for number in numbers:
                if document.capitalized[number]:
                    yield Span(document.starts[number], document.ends[number], "PERSON", POSSIBLE)


def is_one_edit(one: str, other: str) -> bool:
    """Whether a letter added, dropped, exchanged, or two neighbours swapped, make one word of the other.

    >>> is_one_edit("Harison", "Harrison"), is_one_edit("Hraison", "Harison"), is_one_edit("Haris", "Harrison")
    (True, True, False)
    """
    if len(one) > len(other):
        one, other = other, one
    same = 0
    while same < len(one) and one[same] == other[same]:
        same += 1
    if len(other) > len(one):
        return len(other) == len(one) + 1 and one[same:] == other[same + 1 :]
    swapped = one[same : same + 2] == other[same : same + 2][::-1] and one[same + 2 :] == other[same + 2 :]
    return one[same + 1 :] == other[same + 1 :] or swapped
