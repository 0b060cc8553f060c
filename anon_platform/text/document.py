"""A text as the rules see it: its words, once, with places and kinds."""

import re
from functools import cached_property

from anon_platform.text.lexicon import TITLE, Words, fold

_WORD = re.compile(
    r"[A-Za-z\u00aa-\u024f\u0300-\u036f\u0370-\u1fff\u3040-\ud7ff]+"
    r"(?:['’](?![sS]\b)[A-Za-z\u00c0-\u024f\u0300-\u036f]+|-[A-Za-z\u00c0-\u024f\u0300-\u036f]+)*"
)
_OPENS_SENTENCE = frozenset('.!?:;\n\r•*-–—|"“(#>\t')
_SENTENCE = re.compile(r"(?<=[.!?])[ \t]+(?=[A-Z\"'“(])|[\r\n]+")
LONGEST_SENTENCE = 1_000
"""Characters; a longer sentence is cut at a blank, since a model's cost grows with the padding of its batch."""


class Document:
    """A text and its words: `starts`, `ends`, `forms` as written, `folded` as in the word lists, `kinds` as flags."""

    def __init__(self, text: str, words: Words) -> None:
        """Word boundaries are found once, at the start; all rules share them."""
        self.text = text
        self.lists = words
        found = [(match.start(), match.end(), match.group()) for match in _WORD.finditer(text)]
        self.starts = [start for start, _, _ in found]
        self.ends = [end for _, end, _ in found]
        self.forms = [form for _, _, form in found]
        self.folded = [fold(form) for form in self.forms]
        kinds = words.kinds
        self.kinds = [kinds.get(word, 0) for word in self.folded]

    @cached_property
    def capitalized(self) -> list[bool]:
        """Whether each word begins with a capital letter, itself or after an article as in `al-Sadr`."""
        return [form[0].isupper() or (form[2:3] == "-" and form[3:4].isupper()) for form in self.forms]

    @cached_property
    def has_digits(self) -> bool:
        """Whether a rule about numbers has anything to find."""
        return re.search(r"\d", self.text) is not None

    @cached_property
    def by_word(self) -> dict[str, list[int]]:
        """Numbers of the words, by folded form."""
        found: dict[str, list[int]] = {}
        for number, word in enumerate(self.folded):
            found.setdefault(word, []).append(number)
        return found

    def gap(self, number: int) -> str:
        """What stands between a word and the next; a line feed after the last."""
        return (
            self.text[self.ends[number] : self.starts[number + 1]] if number + 1 < len(self.starts) else "\n"
        )

    def opens_sentence(self, number: int) -> bool:
        """Whether a word stands where any word has a capital letter."""
        at = self.starts[number] - 1
        while at >= 0 and self.text[at] in " '‘":
            at -= 1
        if at >= 0 and self.text[at] == "." and number and self.ends[number - 1] == at:
            before = self.kinds[number - 1]
            return len(self.forms[number - 1]) > 1 and not before & TITLE  # `J. Graves`, `Dr. Graves`
        return at < 0 or self.text[at] in _OPENS_SENTENCE

    @cached_property
    def sentences(self) -> list[tuple[int, int]]:
        """Start and end of each sentence or line, in order."""
        found, start = [], 0
        for match in (*_SENTENCE.finditer(self.text), None):
            end = match.start() if match else len(self.text)
            while end - start > LONGEST_SENTENCE:
                cut = self.text.rfind(" ", start + 1, start + LONGEST_SENTENCE)
                cut = cut if cut > start else start + LONGEST_SENTENCE
                found.append((start, cut))
                start = cut
            if end > start:
                found.append((start, end))
            start = match.end() if match else end
        return found
