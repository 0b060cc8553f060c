"""Words of a language as patterns."""

import re
from collections.abc import Iterable


def any_of(words: Iterable[str]) -> str:
    r"""A pattern of these words, longest first, a blank standing for any blanks; matches nothing if there are none.

    >>> any_of(["med rec", "mrn", "#"])
    '(?:med\\s+rec|mrn|\\#)'
    """
    ordered = sorted(set(words), key=lambda word: (-len(word), word))
    return f"(?:{'|'.join(map(pattern_of, ordered))})" if ordered else "(?!)"


def pattern_of(word: str) -> str:
    """The pattern of one word or phrase."""
    return re.escape(word).replace("\\ ", "\\s+").replace("'", "['’]")
