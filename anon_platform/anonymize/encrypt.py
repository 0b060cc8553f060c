"""Encryption that can be undone by who holds the key: as opaque text, or in the format of the original."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from anon_platform.anonymize.technique import Treat, has_text, looked_up
from anon_platform.errors import IntegrityError, SourceError
from anon_platform.keys import Key, load_key
from anon_platform.spec import Spec

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV
    from ffx import FF1

KEY_ID = r"^[a-z][a-z0-9_-]{0,62}$"

SMALLEST_DOMAIN = 10**6
"""FF1 on fewer possible values is broken by trying them (NIST SP 800-38G rev. 1, section 5.1)."""


class Encrypt(Spec):
    """Deterministic authenticated encryption of the value as text: equal values get equal codes, and the key undoes it.

    AES-256-SIV (RFC 5297), in URL-safe base64. Whoever has not got the key learns which values are equal, and how long
    they are. Where nobody has to undo it, `pseudonymize` is the better choice: it cannot be undone even with its key.
    """

    technique: Literal["encrypt"]
    key: str = Field(pattern=KEY_ID)
    """Id of the secret key. One key is one domain: two recipients with different keys cannot join their releases."""

    def fault(self, dtype: "pl.DataType") -> str | None:
        """Only exact values come back as they were."""
        exact = has_text(dtype) and not dtype.is_float()
        return None if exact else "encryption needs text, whole numbers or dates"

    def fit(self, column: str, dtype: "pl.DataType") -> Treat:
        """The codes; null for null. The column's name does not enter, so tables join on equal codes."""
        del column, dtype
        return _each_distinct(_sealed(load_key(self.key)))

    def undo(self, column: str, key: Key | None = None) -> Treat:
        """The texts of codes; one that was not made with this key (the key of now) raises `IntegrityError`."""
        return _each_distinct(_opened(load_key(self.key) if key is None else key, column))


class EncryptFormat(Spec):
    """Digits become other digits, so that the format stays and its checks still pass; the key undoes it.

    FF1 of NIST SP 800-38G, by libffx, over all digits of a value together (with `characters: letters_and_digits` over
    digits and capital letters); spaces, hyphens and other punctuation stay where they are. Equal values get equal codes.
    FF3-1 is not offered: NIST took it out of the standard.
    """

    technique: Literal["encrypt_format"]
    key: str = Field(pattern=KEY_ID)
    """Id of the secret key. One key is one domain: two recipients with different keys cannot join their releases."""
    characters: Literal["digits", "letters_and_digits"] = "digits"
    """What is encrypted; a value with any other letter or digit stops the run."""

    def fault(self, dtype: "pl.DataType") -> str | None:
        """Formats are for text: numbers lose their leading zeros."""
        import polars as pl

        return None if dtype == pl.String else "a format needs text; declare type: string"

    def fit(self, column: str, dtype: "pl.DataType") -> Treat:
        """The codes; null for null. A value that has another format, or is too short, raises `SourceError`."""
        del dtype
        return self._each(column, load_key(self.key), lambda cipher, text: cipher.encrypt(text))

    def undo(self, column: str, key: Key | None = None) -> Treat:
        """The values of codes. Nothing tells a code that was made with another key: FF1 does not authenticate."""
        key = load_key(self.key) if key is None else key
        return self._each(column, key, lambda cipher, text: cipher.decrypt(text))

    def _each(self, column: str, key: Key, change: "Callable[[FF1, str], str]") -> Treat:
        from ffx import FF1

        alphabet = "0123456789" + ("ABCDEFGHIJKLMNOPQRSTUVWXYZ" if self.characters != "digits" else "")
        cipher = FF1(key.derive("ff1").mac(b"aes-256"), alphabet=alphabet)
        shown = re.compile(f"[{alphabet}]")
        # letters and digits of any script: what is left over would leave as it is
        other = re.compile(r"[^\W_]")
        least = next(n for n in range(2, 21) if len(alphabet) ** n >= SMALLEST_DOMAIN)

        def treat(values: "pl.Series") -> "pl.Series":
            distinct = values.drop_nulls().unique()
            hidden = ["".join(shown.findall(text)) for text in distinct]
            strange = sum(bool(other.search(shown.sub("", text))) for text in distinct)
            short = sum(len(text) < least for text in hidden)
            if strange or short:
                raise SourceError(
                    f"column {column}: {strange} values have characters outside of characters: {self.characters},"
                    f" {short} have fewer than {least} of them, which is too few for FF1 (10^6 possible values);"
                    " pseudonymize the column instead"
                )
            codes = [
                _in_place(shown, text, change(cipher, inner))
                for text, inner in zip(distinct, hidden, strict=True)
            ]
            return looked_up(values, distinct, codes)

        return treat


def _in_place(shown: "re.Pattern[str]", text: str, code: str) -> str:
    """The code's characters where the text has its own."""
    characters = iter(code)
    return shown.sub(lambda _: next(characters), text)


def _sealed(key: Key) -> "Callable[[str], str]":
    import base64

    cipher = _siv(key)
    return lambda text: base64.urlsafe_b64encode(
        cipher.encrypt(text.encode("utf-8", "surrogatepass"), None)
    ).decode("ascii")


def _opened(key: Key, column: str) -> "Callable[[str], str]":
    import base64
    import binascii

    from cryptography.exceptions import InvalidTag

    cipher = _siv(key)

    def text(code: str) -> str:
        try:
            return str(cipher.decrypt(base64.urlsafe_b64decode(code), None).decode("utf-8", "surrogatepass"))
        except (InvalidTag, binascii.Error, ValueError):
            pass
        raise IntegrityError(f"column {column}: a code was not made with key {key.id}, or was changed since")

    return text


def _siv(key: Key) -> "AESSIV":
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    derived = key.derive("aes-siv")
    return AESSIV(derived.mac(b"mac") + derived.mac(b"cipher"))


def _each_distinct(change: "Callable[[str], str]") -> Treat:
    def treat(values: "pl.Series") -> "pl.Series":
        import polars as pl

        text = values.cast(pl.String)
        distinct = text.drop_nulls().unique()
        return looked_up(text.alias(values.name), distinct, [change(value) for value in distinct])

    return treat
