"""Free text: what in it identifies a person, and how much of that is found."""

from anon_platform.text.finder import Finder, Note
from anon_platform.text.language import Language, language
from anon_platform.text.spans import Span

__all__ = ["Finder", "Language", "Note", "Span", "language"]
