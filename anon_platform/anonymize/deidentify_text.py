"""Free text without what identifies: found spans become their type, or surrogates that read like the original."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, PrivateAttr, ValidationInfo, model_validator

from anon_platform.anonymize.shift_dates import Shift
from anon_platform.anonymize.technique import TreatRecords, text_fault
from anon_platform.keys import load_key
from anon_platform.spec import Spec
from anon_platform.text.settings import CustomRecognizer, SecondModel, TextSettings

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl

    from anon_platform.text.replace import Replacer


class GoldSpans(Spec):
    """Where people marked the identifiers in notes of the source, so that every run measures what is found of them."""

    path: str = Field(min_length=1)
    """A Parquet file, folder or glob from the policy's folder, with the columns start, end (characters, the end exclusive) and label."""
    row: str
    """The column, there and in the source, that says which note a span is of."""

    _folder: Path = PrivateAttr(default=Path())

    @model_validator(mode="after")
    def _remember_folder(self, info: ValidationInfo) -> Self:
        self._folder = Path((info.context or {}).get("folder", "."))
        return self

    @property
    def files(self) -> list[Path]:
        """The files there are."""
        place = self._folder / self.path
        return sorted(place.glob("*.parquet")) if place.is_dir() else sorted(place.parent.glob(place.name))


class DeidentifyText(Spec):
    """Names, numbers, dates, addresses and what else identifies in free text is found and replaced, note by note.

    Rules, word lists and a language model find; what the columns of `known_from` hold in the same row is found in any
    spelling, and is gone for sure: a last look takes every word of it that is left. Other personal data that nobody told
    of may be missed: how much is measured on notes with known answers (`anon evaluate-text`).
    """

    technique: Literal["deidentify_text"]
    replace_by: Literal["type", "surrogate"]
    """`[PERSON]` and the like; or invented names, numbers and places, the same for the same original everywhere."""
    key: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_-]{0,62}$")
    """Id of the secret key that chooses surrogates."""
    known_from: tuple[str, ...] = ()
    """Columns of the source that hold what must not be in the text: names, numbers, addresses, dates. They are read, not released."""
    shift_dates: Shift | None = None
    """Dates in the text move with the person's dates in columns, by the key and days of their shift_dates; left out, they are replaced."""
    gold: GoldSpans | None = None
    """Notes of the source with known answers; recall is measured on them in every run."""
    language: str = "en"
    """A shipped language: en or es."""
    model: bool = True
    """Whether the language's model helps with what the rules leave; without it fewer names are found."""
    second_model: SecondModel | None = None
    """Rampart, a second model beside it, of the extra `anon-platform[rampart]`: more names, at a fraction of the speed."""
    recognizers: tuple[CustomRecognizer, ...] = ()
    """Recognizers of one's own, beside the rules."""
    allow: tuple[str, ...] = ()
    """Texts that are never taken for an identifier, unless a column of `known_from` has them."""

    @model_validator(mode="after")
    def _key_for_surrogates(self) -> Self:
        if (self.replace_by == "surrogate") != (self.key is not None):
            raise ValueError(
                "surrogates need a key, types have none; write key: … with replace_by: surrogate"
            )
        return self

    def fault(self, dtype: "pl.DataType") -> str | None:
        """Text is searched in text."""
        import polars as pl

        if text_fault(dtype) is not None or dtype != pl.String:
            return "deidentify_text works on text; declare type: string"
        return None

    def search(self) -> TextSettings:
        """How the text is searched."""
        return TextSettings(
            language=self.language,
            model=self.model,
            second_model=self.second_model,
            recognizers=self.recognizers,
            allow=self.allow,
        )

    def fit_records(self, column: str) -> TreatRecords:
        """The function from rows to released notes; null for null, and nothing of one row shows in another."""
        from anon_platform.text.making import finder_of
        from anon_platform.text.replace import Replacer

        key = None if self.key is None else load_key(self.key).derive("surrogates")
        replacer = Replacer(finder_of(self.search()), key, shifts=self.shift_dates is not None)
        shift = None if self.shift_dates is None else self.shift_dates.days_of()
        return _Deidentified(column, self.known_from, replacer, shift)


class _Deidentified:
    """The function of rows. counts: spans that it replaced, by label."""

    def __init__(
        self,
        column: str,
        known_from: Sequence[str],
        replacer: "Replacer",
        shift: Callable[[int], int] | None,
    ) -> None:
        self._column, self._known, self._replacer, self._shift = column, known_from, replacer, shift
        self.counts = replacer.counts

    def __call__(self, rows: "pl.DataFrame") -> "pl.Series":
        import polars as pl

        from anon_platform.table import TOKEN

        known = [name for name in self._known if name in rows.columns]
        records: Sequence[Mapping[str, object]] = (
            rows.select(known).to_dicts() if known else [{}] * rows.height
        )
        days = None if self._shift is None else [self._shift(token) for token in rows[TOKEN]]
        texts = self._replacer.replaced(rows[self._column].to_list(), records, days)
        return pl.Series(self._column, texts, dtype=pl.String)
