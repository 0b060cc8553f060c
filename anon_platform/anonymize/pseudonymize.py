"""Keyed pseudonyms: the same value gets the same code, and only who holds the key can tell which."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from anon_platform.anonymize.technique import Treat, has_text, looked_up
from anon_platform.keys import load_key
from anon_platform.spec import Spec

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl


class Pseudonymize(Spec):
    """HMAC-SHA-256 of the value under a secret key, cut to `length` characters of base32 (5 bits each).

    Source: ENISA 2019, Pseudonymisation techniques and best practices, section 5.1.4 (keyed hash functions).
    A plain hash would not do: all nine-digit numbers are hashed in minutes.
    """

    technique: Literal["pseudonymize"]
    key: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")
    """Id of the secret key. One key is one domain: two recipients with different keys cannot join their releases."""
    prefix: str = Field(default="", pattern=r"^[A-Za-z0-9_-]{0,20}$")
    """Put before every code, so that a reader sees what it stands for."""
    length: int = Field(default=26, ge=16, le=51)
    """Characters of the code; 26 are 130 bits, so that two values never share one in practice."""

    def fault(self, dtype: "pl.DataType") -> str | None:
        """Only exact values have a code."""
        exact = has_text(dtype) and not dtype.is_float()
        return None if exact else "pseudonyms need text, whole numbers or dates"

    def fit(self, column: str, dtype: "pl.DataType") -> Treat:
        """The codes; null for null. The column's name does not enter, so tables join on equal pseudonyms."""
        import polars as pl

        del column, dtype
        key = load_key(self.key).derive("pseudonymize")

        def treat(values: "pl.Series") -> "pl.Series":
            text = values.cast(pl.String)
            distinct = text.drop_nulls().unique()
            codes = [self.prefix + key.token(value, self.length) for value in distinct]
            return looked_up(text.alias(values.name), distinct, codes)

        return treat
