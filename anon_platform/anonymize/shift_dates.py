"""Dates moved by a secret number of days, one for each person: what lies between them stays as it is."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from anon_platform.anonymize.technique import TreatPeople
from anon_platform.keys import load_key
from anon_platform.spec import Spec

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl


class Shift(Spec):
    """How far dates are moved. With one key and one reach all dates of a person move alike, in every column, table and text."""

    key: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")
    """Id of the secret key that chooses each person's shift."""
    days: int = Field(ge=1, le=36_500)
    """The longest shift, in days, back or forth. No default: it is a policy decision."""

    def days_of(self) -> Callable[[int], int]:
        """The function from a person's token to the shift in days: -days to days, never 0, each as likely."""
        key = load_key(self.key).derive(f"shift_dates/{self.days}")

        def shift(token: int) -> int:
            # 64 bits modulo at most 73,000: no shift is likelier than another by more than 10^-14
            found = int.from_bytes(key.mac(token.to_bytes(8))[:8]) % (2 * self.days)
            return found - self.days + (found >= self.days)

        return shift


class ShiftDates(Shift):
    """Every date of a person moves by the same secret number of days: intervals and order stay, and the time of day.

    The calendar does not: season, weekday and holidays are lost, and a rare interval may still point at somebody. The
    first and last dates of a source bound the shift of who has them; where that matters write a longer reach than the
    time the source spans. Shifted dates are dates finer than a year: HIPAA's Safe Harbor does not take them.
    Source: Hripcsak et al. 2016, Preserving temporal relations in clinical data while maintaining privacy, JAMIA 23(6).
    """

    technique: Literal["shift_dates"]

    def fault(self, dtype: "pl.DataType") -> str | None:
        """Only dates can be moved by days."""
        import polars as pl

        if dtype == pl.Date or isinstance(dtype, pl.Datetime):
            return None
        return "shift_dates needs dates; declare type: date or type: datetime"

    def fit_people(self, column: str) -> TreatPeople:
        """The function that moves the dates; null for null."""
        import polars as pl

        del column
        shift = self.days_of()

        def treat(values: "pl.Series", tokens: "pl.Series") -> "pl.Series":
            people = tokens.unique()
            days = pl.Series([shift(token) for token in people], dtype=pl.Int32)
            frame = pl.DataFrame({"value": values, "token": tokens})
            known = pl.DataFrame({"token": people, "days": days})
            moved = frame.join(known, on="token", how="left", maintain_order="left").select(
                (pl.col("value") + pl.duration(days="days")).cast(values.dtype)
            )
            return moved.to_series().alias(values.name)

        return treat
