"""Random tokens: codes that say nothing at all of the value, kept in a vault that only the key opens."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from anon_platform.anonymize.technique import Treat, has_text, looked_up
from anon_platform.errors import IntegrityError
from anon_platform.keys import Key, load_key
from anon_platform.spec import Spec

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl


class Tokenize(Spec):
    """A random token for each distinct value, kept in the vault: equal values get equal tokens, in every table and release.

    A token is drawn by chance, so that nobody works it out from the value, not even with the key; vault and key together
    find the value again (`anon reidentify`). Where nobody has to, `pseudonymize` needs no vault.
    Source: ENISA 2019, Pseudonymisation techniques and best practices, section 5.1.2.
    """

    technique: Literal["tokenize"]
    key: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")
    """Id of the secret key. One key is one domain: two recipients with different keys cannot join their releases."""
    prefix: str = Field(default="", pattern=r"^[A-Za-z0-9_-]{0,20}$")
    """Put before every token, so that a reader sees what it stands for."""
    length: int = Field(default=26, ge=16, le=51)
    """Characters of the token, 5 random bits each. Another length is another token."""

    def fault(self, dtype: "pl.DataType") -> str | None:
        """Only exact values have a token."""
        exact = has_text(dtype) and not dtype.is_float()
        return None if exact else "tokens need text, whole numbers or dates"

    def fit(self, column: str, dtype: "pl.DataType") -> Treat:
        """The tokens; null for null. The column's name does not enter, so tables join on equal tokens.

        A value that has no token gets one, and keeps it also when the release is refused: nobody but the vault knows it
        then, and it says nothing of the value, so that what is left behind is one sealed row more.
        """
        del column, dtype
        key = load_key(self.key)

        def treat(values: "pl.Series") -> "pl.Series":
            import polars as pl

            text = values.cast(pl.String)
            distinct = text.drop_nulls().unique()
            return looked_up(text.alias(values.name), distinct, self._tokens(key, distinct.to_list()))

        return treat

    def undo(self, column: str, key: Key | None = None) -> Treat:
        """The texts of tokens; one that was not made with this key (the key of now) raises `IntegrityError`."""
        key = load_key(self.key) if key is None else key

        def treat(values: "pl.Series") -> "pl.Series":
            distinct = values.drop_nulls().unique()
            return looked_up(values, distinct, self._texts(column, key, distinct.to_list()))

        return treat

    def _tokens(self, key: Key, texts: list[str]) -> list[str]:
        from anon_platform.vault import Vault

        if not texts:  # as when a plan asks for the type of the column
            return []
        with Vault.open() as vault:
            return [self.prefix + token for token in vault.tokens(key, texts, self.length)]

    def _texts(self, column: str, key: Key, codes: list[str]) -> list[str]:
        from anon_platform.vault import Vault

        tokens = [code.removeprefix(self.prefix) for code in codes if code.startswith(self.prefix)]
        with Vault.open() as vault:
            vault.require_key(key)
            found = vault.values(key, tokens)
        if strange := len(codes) - len(found):
            raise IntegrityError(
                f"column {column}: {strange} of {len(codes)} codes are no tokens of key {key.id} in the vault"
            )
        return [found[code.removeprefix(self.prefix)] for code in codes]
