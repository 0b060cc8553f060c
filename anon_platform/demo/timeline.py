"""When things happen: labels, stays, the days between them, and birth days that fit the age group."""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import polars as pl

from anon_platform.demo.bootstrap import READMITTED, Cohort, Source, changed_stays, youngest_ages
from anon_platform.demo.sampling import Floats, Ints, stream

FIRST_DAY = int(np.datetime64("1999-01-01", "D").astype(np.int64))
LAST_DAY = int(np.datetime64("2008-12-31", "D").astype(np.int64))
"""The years of the source, as day numbers counted from 1970-01-01."""

DAYS_PER_YEAR = 365.2425
MINUTES_PER_DAY = 24 * 60
WITHIN_30 = READMITTED.index("<30")
AFTER_30 = READMITTED.index(">30")
_LATE_GAP = 31
"""Fewest days between discharge and an admission that is not within 30 days."""
_FEW_VISITS = 4
_OLDEST_GROUPS = 80
_CENTENARIANS = 90

Label = Literal["real", "resampled"]


@dataclass(frozen=True)
class Timeline:
    """Dates of every encounter and birth days of every patient, in the order of the cohort."""

    label: Ints
    """(encounters,) position in READMITTED."""
    stay: Ints
    """(encounters,) days in hospital, 1 to 14."""
    admission_day: Ints
    """(encounters,) counted from 1970-01-01."""
    admission_minute: Ints
    """(encounters,) minute of the day, 0 to 1439."""
    birth_day: Ints
    """(patients,)"""

    @classmethod
    def draw(cls, seed: int, source: Source, cohort: Cohort, label: Label) -> Self:
        """A time line within FIRST_DAY..LAST_DAY whose gaps obey the labels.

        A patient's next admission comes 1 to 29 days after a discharge labelled "<30", and 31 days
        or more after any other one.
        """
        rng = stream(seed, "timeline")
        labels = _real_labels(source, cohort) if label == "real" else _drawn_labels(rng, source, cohort)
        stay = changed_stays(
            rng, source.encounters["time_in_hospital"].cast(pl.Int64).to_numpy()[cohort.source_row]
        )
        gap = _fitted_gaps(_gaps(rng, labels, cohort), labels, stay, cohort)
        since_first = _days_since_first(stay + gap, cohort)
        span = np.add.reduceat(stay + gap, cohort.first)
        start = FIRST_DAY + (rng.random(len(span)) * (LAST_DAY - FIRST_DAY - span + 1)).astype(np.int64)
        return cls(
            label=labels,
            stay=stay,
            admission_day=start[cohort.patient] + since_first,
            admission_minute=_minutes(rng.normal(14, 5, len(stay))),
            birth_day=_birth_days(rng, start, youngest_ages(source, cohort)),
        )

    def order(self) -> Ints:
        """Ordinals of all encounters by time of admission; equal times keep the order of the cohort."""
        return np.argsort(self.admission_day * MINUTES_PER_DAY + self.admission_minute, kind="stable")


def _real_labels(source: Source, cohort: Cohort) -> Ints:
    codes = {label: code for code, label in enumerate(READMITTED)}
    labels = source.encounters["readmitted"].replace_strict(codes, return_dtype=pl.Int64)
    return labels.to_numpy()[cohort.source_row]


def _drawn_labels(rng: np.random.Generator, source: Source, cohort: Cohort) -> Ints:
    """Labels drawn from the predicted probabilities, so that copies of a row no longer share one."""
    within, after = (
        source.encounters[p].cast(pl.Float64).to_numpy()[cohort.source_row] for p in ("p_lt30", "p_gt30")
    )
    level = rng.random(len(within))
    return np.select([level < within, level < within + after], [WITHIN_30, AFTER_30], default=0)


def _gaps(rng: np.random.Generator, labels: Ints, cohort: Cohort) -> Ints:
    """Days from each discharge to the same patient's next admission, 0 after the last encounter.

    The source says of some encounters "NO" readmission and has a later one all the same; these
    get a long gap, or a moderate one if the patient comes often.
    """
    size = len(labels)
    soon = rng.integers(1, 30, size=size)
    late = _LATE_GAP + (rng.random(size) ** 2 * 420).astype(np.int64)
    long = rng.integers(200, 700, size=size)
    moderate = rng.integers(_LATE_GAP, _LATE_GAP + 90, size=size)
    unlabelled = np.where(cohort.visits[cohort.patient] <= _FEW_VISITS, long, moderate)
    gap = np.select([labels == WITHIN_30, labels == AFTER_30], [soon, late], default=unlabelled)
    gap[cohort.first + cohort.visits - 1] = 0
    return gap


def _fitted_gaps(gap: Ints, labels: Ints, stay: Ints, cohort: Cohort) -> Ints:
    """The gaps, with the long ones shortened for patients whose encounters exceed the ten years."""
    spare = np.where((labels == WITHIN_30) | (gap == 0), 0, gap - _LATE_GAP)
    span = np.add.reduceat(stay + gap, cohort.first)
    spare_of_patient = np.add.reduceat(spare, cohort.first)
    excess = np.maximum(span - (LAST_DAY - FIRST_DAY), 0)
    kept = 1 - excess / np.maximum(spare_of_patient, 1)
    shortened: Ints = gap - spare + np.floor(spare * kept[cohort.patient]).astype(np.int64)
    return shortened


def _days_since_first(step: Ints, cohort: Cohort) -> Ints:
    """Days from the patient's first admission to each admission."""
    before = np.cumsum(step) - step
    return before - before[cohort.first][cohort.patient]


def _minutes(hours: Floats) -> Ints:
    return (hours * 60).astype(np.int64) % MINUTES_PER_DAY


def discharge_minutes(rng: np.random.Generator, size: int) -> Ints:
    """Minutes of the day at which patients leave, between 7:00 and 21:59."""
    return _minutes(np.clip(rng.normal(13.5, 2.5, size), 7, 21.99))


def _birth_days(rng: np.random.Generator, first_admission: Ints, youngest: Ints) -> Ints:
    """Birth days with which the age on the first admission lies in the ten years from `youngest`.

    The age is uniform within the ten years, below 80; above, each further year is rarer. It keeps a
    few days off both ends, since leap days make a year of 365.2425 days inexact.
    """
    level = rng.uniform(0.003, 0.997, len(youngest))
    falling = 1 - np.sqrt(1 - level)
    shape = np.select(
        [youngest >= _CENTENARIANS, youngest >= _OLDEST_GROUPS], [falling**1.4, falling], default=level
    )
    years = youngest + np.clip(10 * shape, 0.03, 9.97)
    birth_day: Ints = first_admission - np.floor(years * DAYS_PER_YEAR).astype(np.int64)
    return birth_day


def timestamps(days: Ints, minutes: Ints) -> pl.Series:
    """Moments to the minute, as Datetime("ms").

    >>> timestamps(np.array([1]), np.array([61])).to_list()
    [datetime.datetime(1970, 1, 2, 1, 1)]
    """
    return pl.Series((days * MINUTES_PER_DAY + minutes) * 60_000).cast(pl.Datetime("ms"))
