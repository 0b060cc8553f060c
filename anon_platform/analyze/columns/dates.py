"""How the values of a column read as dates: by type, ISO 8601, or one of the usual spellings."""

from dataclasses import dataclass

import polars as pl

from anon_platform.analyze.columns.share import share

LOOK = 2_000
"""Distinct values that decide which spelling is tried on all."""

MOST = 0.9
"""Share of the values that must read as dates for the column to be one."""

FORMATS = (
    "%Y-%m-%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y%m%d", "%d %b %Y", "%d-%b-%Y",
    "%b %d, %Y", "%m/%d/%y", "%d.%m.%y", "%d%b%Y",
)  # fmt: skip
CLOCKS = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M %p",
    "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%Y/%m/%d %H:%M:%S",
)  # fmt: skip
"""With a time of day."""

_ISO_CLOCK = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}(:?\d{2})?)?$"
_DATE_LIKE = r"^\d{1,4}[-/. ]\w{1,9}[-/. ,]+\d{2,4}|^(18|19|20)\d{6}$|^\d{1,2}[A-Za-z]{3}\d{4}$|^[A-Za-z]{3,9} \d{1,2}, \d{4}$"


@dataclass(frozen=True)
class DateReading:
    """type: as a policy declares it. date_format: None for ISO 8601. share: of the values that read so. years: of most."""

    type: str
    date_format: str | None
    share: float
    years: tuple[int, int]

    @property
    def whole(self) -> bool:
        """Whether every value reads so, so that a policy may declare it."""
        return self.share == 1.0


def read_dates(dtype: pl.DataType, values: pl.Series) -> DateReading | None:
    """The reading; None where most values are no dates. values: distinct, as text."""
    if isinstance(dtype, (pl.Date, pl.Datetime)):
        days = values.str.head(10).str.to_date("%Y-%m-%d", strict=False)
        return DateReading("date" if isinstance(dtype, pl.Date) else "datetime", None, 1.0, _years(days))
    if not isinstance(dtype, (pl.String, pl.Categorical, pl.Enum)) and not dtype.is_integer():
        return None
    look = values.gather_every(max(1, len(values) // LOOK)) if len(values) else values
    if not len(look) or share(look.str.contains(_DATE_LIKE)) < MOST:
        return None
    if share(look.str.contains(_ISO_CLOCK)) >= MOST:
        whole = share(values.str.contains(_ISO_CLOCK))
        days = values.str.head(10).str.to_date("%Y-%m-%d", strict=False)
        part = min(whole, 1 - days.null_count() / len(values))
        return DateReading("datetime", None, part, _years(days))
    best: DateReading | None = None
    for kind, formats in (("date", FORMATS), ("datetime", CLOCKS)):
        for known in formats:
            read = _read(look, kind, known)
            if 1 - read.null_count() / len(look) < MOST or not _plausible(read):
                continue
            every = _read(values, kind, known)
            part = 1 - every.null_count() / len(values)
            if best is None or part > best.share:
                best = DateReading(
                    kind, None if known == "%Y-%m-%d" else known, part, _years(every.dt.date())
                )
    return best


def _read(values: pl.Series, kind: str, known: str) -> pl.Series:
    if kind == "date":
        return values.str.to_date(known, strict=False)
    return values.str.to_datetime(known, strict=False, time_unit="us")


def _plausible(read: pl.Series) -> bool:
    """Whether most lie in times that records speak of: numbers of eight digits may be anything."""
    years = read.dt.year().drop_nulls()
    return bool(len(years)) and share(years.is_between(1850, 2100)) >= MOST


def _years(days: pl.Series) -> tuple[int, int]:
    years = days.dt.year().drop_nulls()
    if not len(years):
        return (0, 0)
    return (int(years.quantile(0.02) or 0), int(years.quantile(0.98) or 0))
