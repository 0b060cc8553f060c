"""Ages; only those over 89 are identifiers by 45 CFR 164.514(b)(2)(i)(C), and have a score that says so."""

import re
from collections.abc import Callable, Iterator

from anon_platform.text.document import Document
from anon_platform.text.language import Language
from anon_platform.text.spans import CERTAIN, POSSIBLE, Span

OVER = 89
"""Ages beyond it are rare enough to name a person: score 0.95; others have 0.6."""


def ages(language: Language) -> Callable[[Document], Iterator[Span]]:
    """The rule for AGE."""
    patterns = [re.compile(pattern, re.IGNORECASE) for pattern in language.ages]

    def find(document: Document) -> Iterator[Span]:
        for pattern in patterns:
            for match in pattern.finditer(document.text):
                yield Span(match.start(), match.end(), "AGE", _score(match.group(1)))

    return find


def _score(age: str) -> float:
    over = int(age) > OVER if age.isdigit() else age.lower().startswith("ninety")
    return CERTAIN if over else POSSIBLE
