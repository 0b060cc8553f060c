"""Diseases, signs and devices named after people, which name no patient: Parkinson's disease, Foley catheter."""

from anon_platform.text.document import Document
from anon_platform.text.language import Language
from anon_platform.text.lexicon import BLOCKED, FAMILY


class Eponyms:
    """Whether a word of a document is part of a medical term."""

    def __init__(self, language: Language) -> None:
        """The nouns are those that follow a name in a term."""
        self.nouns = frozenset(language.eponym_nouns)
        self.endings = language.not_name_endings

    def at(self, document: Document, number: int) -> bool:
        """Whether the word is blocked, or a medical noun stands after it, its possessive or one more word."""
        return (
            bool(document.kinds[number] & BLOCKED)
            or self.is_drug(document, number)
            or self.in_term(document, number)
        )

    def is_drug(self, document: Document, number: int) -> bool:
        """Whether a word in no list ends as names of substances and findings do: `Lisinopril`."""
        return not document.kinds[number] & ~FAMILY and document.folded[number].endswith(self.endings)

    def in_term(self, document: Document, number: int) -> bool:
        """Whether a medical noun stands after the word: `Wells score`, `Barrett's esophagus`, `Epstein-Barr virus`."""
        at = number + 1
        if at < len(document.forms) and document.folded[at] == "s" and document.gap(number) in {"'", "’"}:
            at += 1
        for _ in range(2):
            if at >= len(document.forms) or document.gap(at - 1) not in {" ", "-", "' ", "’ "}:
                return False
            if document.folded[at] in self.nouns:
                return True
            if not document.capitalized[at]:
                return False
            at += 1
        return False
