"""The door to Presidio: our rules as its recognizers, the user's settings as recognizers, its recognizers as ours."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

from anon_platform.errors import PolicyError
from anon_platform.text.rules.wording import any_of
from anon_platform.text.settings import CustomRecognizer, TextSettings
from anon_platform.text.spans import Span

if TYPE_CHECKING:
    from presidio_analyzer import EntityRecognizer

    from anon_platform.text.finder import Finder

NEAR = 50
"""Characters before a match in which a context word counts."""


def as_recognizer(finder: "Finder", labels: Sequence[str]) -> "EntityRecognizer":
    """A recognizer for Presidio's `RecognizerRegistry` that finds what the finder finds."""
    from anon_platform.text.finder import Note

    return _recognizer(
        "anon_platform", labels, finder.language.language, lambda text: finder.find([Note(text)])[0]
    )


def custom_recognizers(settings: TextSettings) -> list["EntityRecognizer"]:
    """The recognizers of the settings; raises PolicyError for a pattern that cannot be read."""
    return [
        _recognizer(custom.name, [custom.label], settings.language, _searching(custom, settings.time_limit))
        for custom in settings.recognizers
    ]


def as_rule(recognizer: "EntityRecognizer") -> Callable[[str], Iterable[Span]]:
    """A recognizer of Presidio as a function from a text to spans; it gets no tokens, so it has to do without them."""

    def find(text: str) -> Iterable[Span]:
        results = recognizer.analyze(text, recognizer.supported_entities, cast("Any", None))
        return [
            Span(result.start, result.end, result.entity_type, round(float(result.score), 4))
            for result in results or ()
        ]

    return find


def _recognizer(
    name: str, labels: Sequence[str], language: str, find: Callable[[str], Iterable[Span]]
) -> "EntityRecognizer":
    from presidio_analyzer import EntityRecognizer, RecognizerResult

    class Recognizer(EntityRecognizer):
        def load(self) -> None:
            """Nothing: all is loaded."""

        def analyze(self, text: str, entities: list[str], nlp_artifacts: Any) -> list[RecognizerResult]:  # noqa: ANN401, ARG002 - Presidio's signature
            """Presidio's results."""
            return [
                RecognizerResult(span.label, span.start, span.end, span.score)
                for span in find(text)
                if not entities or span.label in entities
            ]

    return Recognizer(supported_entities=list(labels), name=name, supported_language=language)


def _searching(custom: CustomRecognizer, limit: float) -> Callable[[str], Iterable[Span]]:
    """The search of one recognizer; every pattern has a time limit for each text."""
    import regex

    deny = [rf"(?<!\w){any_of(custom.deny)}(?!\w)"] if custom.deny else []
    try:
        patterns = [regex.compile(text) for text in custom.patterns]
        patterns += [regex.compile(text, regex.IGNORECASE) for text in deny]
    except regex.error as fault:
        raise PolicyError(f"recognizer {custom.name}: a pattern cannot be read: {fault}") from None
    near = regex.compile(rf"(?<!\w){any_of(custom.context)}(?!\w)", regex.IGNORECASE)
    allowed = {text.casefold() for text in custom.allow}

    def find(text: str) -> Iterable[Span]:
        found = []
        try:
            for pattern in patterns:
                for match in pattern.finditer(text, timeout=limit):
                    start, end = match.span("value") if "value" in pattern.groupindex else match.span()
                    cued = not custom.context or near.search(text, max(start - NEAR, 0), start)
                    if 0 <= start < end and cued and text[start:end].casefold() not in allowed:
                        found.append(Span(start, end, custom.label, custom.score))
        except TimeoutError:
            raise PolicyError(
                f"recognizer {custom.name}: a pattern took more than {limit:g} s for a text; write it without repetitions"
                " within repetitions, or raise time_limit"
            ) from None
        return found

    return find
