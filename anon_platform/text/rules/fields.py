"""Values after a label at the start of a line or after a wide gap: `Patient: Smith, John`, `Domicilio: Calle Mayor 5`."""

import re
from collections.abc import Callable, Iterator

from anon_platform.text.document import Document
from anon_platform.text.language import Language
from anon_platform.text.lexicon import NAME, WORD, fold
from anon_platform.text.rules.wording import any_of
from anon_platform.text.spans import LIKELY, Span, trimmed

_VALUE = r"(?P<value>[^\n\r\t;|]{1,80}?)(?=\s{2,}|[\n\r\t;|]|$|\.\s|\.$|[,.]?\s+[A-ZÁÉÍÓÚ][\w/º.]*(?: [\w/º.]+){0,2}:)"
_PERSON = re.compile(
    r"(?:(?i:dr|dra|mr|mrs|ms|miss|prof|d|dª|dña|doctor|doctora)\b\.?\s+)?"
    r"(?P<name>[^\W\d_][\w'’.-]*(?:,? (?:(?:de|del|la|los|las|van|von|der|y|e|i|da|dos) )*[^\W\d_a-zß-öø-ÿ][\w'’-]*\.?){0,5})"
)


def fields(language: Language) -> Callable[[Document], Iterator[Span]]:
    """The rule for labelled values: PERSON, LOCATION and DATE_TIME, as the language names their labels."""
    patterns = [
        (
            label,
            re.compile(
                rf"(?:^|[\n\r\t;|]|\.\s|\s{{2,}}|[,(] ?)[ \t*•-]*(?i:{any_of(names)})\s?[:=]\s*{_VALUE}",
                re.MULTILINE,
            ),
        )
        for label, names in language.fields.items()
    ]
    refused = frozenset(language.wards) | frozenset(language.eponym_nouns)

    cues = frozenset(language.people_cues)

    def find(document: Document) -> Iterator[Span]:
        if ":" not in document.text and "=" not in document.text:
            return
        for label, pattern in patterns:
            for match in pattern.finditer(document.text):
                yield from _value(document, match, label, refused, cues)

    return find


def _credential(text: str, start: int) -> str:
    """The word there without stops: `M.D.` is `md`."""
    word = re.compile(r"[\w.-]+").match(text, start)
    return word.group().replace(".", "").lower() if word else ""


def _value(
    document: Document, match: re.Match[str], label: str, refused: frozenset[str], cues: frozenset[str]
) -> Iterator[Span]:
    text = document.text
    start, end = match.span("value")
    if label == "PERSON":
        name = _PERSON.match(text, start, end)
        if name is None or not name["name"][0].isupper():
            return
        start, end = name.span("name")
        comma = text.find(", ", start, end)
        if comma > 0 and fold(text[start:comma]) in cues:
            start = comma + 2
        while (cut := text.rfind(", ", start, end)) > start and _credential(
            text, cut + 2
        ) in document.lists.credentials:
            end = cut
        words = [fold(word) for word in re.findall(r"[^\W\d_]+", text[start:end])]
        kinds = [document.lists.kinds.get(word, 0) for word in words]
        if any(word in refused for word in words) or all(kind & (WORD | NAME) == WORD for kind in kinds):
            return
    elif (label == "DATE_TIME" and not any(map(str.isdigit, text[start:end]))) or (
        label == "LOCATION" and not (text[start].isupper() or text[start].isdigit())
    ):
        return
    start, end = trimmed(text, start, end)
    if label == "PERSON" and text[end : end + 1] == "." and text[end - 2 : end - 1] in {" ", "."}:
        end += 1  # `Smith, Jane M.`
    elif label != "PERSON":
        end -= text[end - 1 : end] == "."
    if start < end:
        yield Span(start, end, label, LIKELY)
