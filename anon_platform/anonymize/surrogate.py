"""Invented values in place of real ones: names of the same sex, towns, numbers of the same form, always the same for the same."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from anon_platform.anonymize.technique import Treat, looked_up
from anon_platform.keys import load_key
from anon_platform.spec import Spec

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl


class Surrogate(Spec):
    """A realistic value for each value, chosen by a secret key, for data that has to look like the original.

    With the key of `deidentify_text` a name has the same surrogate in columns, tables and notes, but for the rare one that
    is a word of the note's own record. Two values may share a surrogate, so it is no key to join on, and like every keyed
    code it links equal values: in what leaves, a full name tells a person's rows apart.
    Source: Sweeney 1996, Replacing personally-identifying information in medical records, the Scrub system.
    """

    technique: Literal["surrogate"]
    like: Literal["given_name", "family_name", "name", "place", "number", "email", "url", "ip_address"]
    """What is invented. place: a street address, a town, a hospital; number: digits for digits, letters for letters, as of telephones."""
    key: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")
    """Id of the secret key. One key is one domain: two recipients with different keys have other surrogates."""
    language: str = "en"
    """Whose titles and particles stay in names: en or es."""

    def fault(self, dtype: "pl.DataType") -> str | None:
        """Only text can be made to look alike."""
        import polars as pl

        return None if dtype == pl.String else "surrogates need text; declare type: string"

    def fit(self, column: str, dtype: "pl.DataType") -> Treat:
        """The surrogates; null for null. No value but an empty one is its own surrogate."""
        from anon_platform.text.language import language
        from anon_platform.text.surrogates import Surrogates

        del column, dtype
        invented = Surrogates(load_key(self.key).derive("surrogates"), language(self.language))

        def treat(values: "pl.Series") -> "pl.Series":
            distinct = values.drop_nulls().unique()
            return looked_up(values, distinct, [invented.of_column(text, self.like) for text in distinct])

        return treat
