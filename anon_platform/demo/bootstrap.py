"""Which real encounter each row copies: a bootstrap of whole patients, and small changes to the copy."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from anon_platform.demo.names import RACES, SEXES
from anon_platform.demo.sampling import GroupedChoice, Ints

READMITTED = ("NO", ">30", "<30")
"""The label, in the order of its codes 0, 1, 2."""

SPLITS = ("train", "valid", "test")
_SPLIT_ENDS = (70, 85)
"""In percent of the source patients: train below the first, test from the second on."""

_NOT_CLINICAL = (
    "encounter_id",
    "patient_nbr",
    "race",
    "gender",
    "age",
    "readmitted",
    "p_lt30",
    "p_gt30",
)
_UNKNOWN_RACE_SHARES = (0.76, 0.19, 0.02, 0.01, 0.02)
"""Shares of RACES among the source patients whose race is recorded."""

_STAY_CHANGE_SHARE = 0.12
_SWAP_SHARES = {("diag_3",): 0.06, ("diag_2",): 0.04, ("medical_specialty", "payer_code"): 0.04}
"""Columns whose value is taken, together, from another encounter with the same age group and label."""


@dataclass(frozen=True)
class CountNoise:
    """Rounded normal noise on a count."""

    share: float
    """Of the rows that are changed."""
    deviation: float
    lowest: int
    highest: int


_COUNT_NOISE = {
    "num_lab_procedures": CountNoise(0.6, 3, 1, 132),
    "num_medications": CountNoise(0.4, 1, 1, 81),
    "num_procedures": CountNoise(0.05, 0.7, 0, 6),
}


@dataclass(frozen=True)
class Source:
    """The real encounters, grouped by patient."""

    encounters: pl.DataFrame
    """One row an encounter, sorted by patient."""
    first_row: Ints
    """Row of the first encounter of each patient."""
    visits: Ints
    """Encounters of each patient."""
    alike: GroupedChoice
    """Draws rows with the same age group and label."""
    likeness: Ints
    """Group of each row in `alike`."""

    @classmethod
    def of(cls, encounters: pl.DataFrame) -> Self:
        """The source in the form the bootstrap needs; `encounters` is sorted by `patient_nbr`."""
        patient = encounters["patient_nbr"].to_numpy()
        first_row = np.flatnonzero(np.diff(patient, prepend=patient[0] - 1)).astype(np.int64)
        likeness = encounters.select(pl.struct("age", "readmitted").rank("dense") - 1).to_series()
        codes = likeness.cast(pl.Int64).to_numpy()
        return cls(
            encounters=encounters,
            first_row=first_row,
            visits=np.diff(first_row, append=len(patient)),
            alike=GroupedChoice.by_code(codes),
            likeness=codes,
        )


@dataclass(frozen=True)
class Cohort:
    """The bootstrap sample: copies of source patients with their encounters, patient after patient."""

    source_patient: Ints
    """(patients,) position of the copied patient in the source."""
    visits: Ints
    """(patients,) encounters of the copy."""
    first: Ints
    """(patients,) ordinal of the first encounter of the copy."""
    patient: Ints
    """(encounters,) ordinal of the copy."""
    source_row: Ints
    """(encounters,) row of the copied encounter in the source."""

    @classmethod
    def draw(cls, rng: np.random.Generator, source: Source, size: int) -> Self:
        """A sample with exactly `size` encounters.

        Patients come in rounds, in each round every source patient at most once; the last patient
        loses the encounters that would exceed the size.
        """
        source_patient = _patient_rounds(rng, source.visits, size)
        visits = source.visits[source_patient].copy()
        visits[-1] -= visits.sum() - size
        first = np.cumsum(visits) - visits
        patient = np.repeat(np.arange(len(visits), dtype=np.int64), visits)
        visit = np.arange(size, dtype=np.int64) - first[patient]
        return cls(source_patient, visits, first, patient, source.first_row[source_patient][patient] + visit)


def _patient_rounds(rng: np.random.Generator, visits: Ints, size: int) -> Ints:
    """Source patients, the fewest whose encounters reach `size`."""
    rounds: list[Ints] = []
    missing = size
    while missing > 0:
        order = rng.permutation(len(visits))
        reached = np.cumsum(visits[order])
        rounds.append(order[: int(np.searchsorted(reached, missing)) + 1])
        missing -= int(reached[-1])
    return np.concatenate(rounds)


def sexes(rng: np.random.Generator, source: Source, cohort: Cohort) -> Ints:
    """Sex of each patient as a position in SEXES; the few unknown ones are drawn."""
    gender = _of_patients("gender", source, cohort)
    known = gender.replace_strict({"Female": 0, "Male": 1}, default=None, return_dtype=pl.Int64)
    drawn = pl.Series(rng.integers(len(SEXES), size=len(gender)))
    return known.fill_null(drawn).to_numpy()


def races(rng: np.random.Generator, source: Source, cohort: Cohort) -> Ints:
    """Race of each patient as a position in RACES; unknown ones are drawn, so that names can be."""
    recorded = _of_patients("race", source, cohort)
    known = recorded.replace_strict(
        {race: code for code, race in enumerate(RACES)}, default=None, return_dtype=pl.Int64
    )
    drawn = pl.Series(rng.choice(len(RACES), size=len(recorded), p=_UNKNOWN_RACE_SHARES))
    return known.fill_null(drawn).to_numpy()


def recorded_races(source: Source, cohort: Cohort) -> pl.Series:
    """Race of each patient as the source states it, "?" for unknown."""
    return _of_patients("race", source, cohort)


def youngest_ages(source: Source, cohort: Cohort) -> Ints:
    """Lower end of the age group of each patient's first encounter, in years."""
    return _of_patients("age", source, cohort).str.extract(r"(\d+)-").cast(pl.Int64).to_numpy()


def _of_patients(column: str, source: Source, cohort: Cohort) -> pl.Series:
    return source.encounters[column].gather(source.first_row[cohort.source_patient])


def truth_of_patients(source: Source, cohort: Cohort) -> pl.DataFrame:
    """source_patient_nbr and split, one row a copy; all copies of a source patient share a split.

    The split depends on the source patient alone: it is the same for every seed and size.
    """
    spread = (np.arange(len(source.visits)) * 7_919 + 11) % 1_000_003 % 100
    part = np.searchsorted(_SPLIT_ENDS, spread[cohort.source_patient], side="right")
    return pl.DataFrame(
        {
            "source_patient_nbr": _of_patients("patient_nbr", source, cohort),
            "split": pl.Series(SPLITS).gather(part),
        }
    )


def changed_stays(rng: np.random.Generator, days: Ints) -> Ints:
    """Lengths of stay, of which 12 % moved by one day within the 1 to 14 days of the source."""
    step = 2 * rng.integers(2, size=len(days)) - 1
    changed = rng.random(len(days)) < _STAY_CHANGE_SHARE
    return np.where(changed, np.clip(days + step, 1, 14), days)


def clinical_columns(rng: np.random.Generator, source: Source, rows: Ints, stays: Ints) -> pl.DataFrame:
    """The 44 clinical columns of the source rows `rows`, with small changes and the lengths of stay given."""
    copied = source.encounters.drop(_NOT_CLINICAL)[rows]
    swapped = [
        source.encounters[column].gather(partners)
        for columns, share in _SWAP_SHARES.items()
        for partners in [_partners(rng, source, rows, share)]
        for column in columns
    ]
    noisy = [_noisy_counts(rng, copied[column], noise) for column, noise in _COUNT_NOISE.items()]
    return copied.with_columns(*swapped, *noisy, pl.Series("time_in_hospital", stays, dtype=pl.Int16))


def _partners(rng: np.random.Generator, source: Source, rows: Ints, share: float) -> Ints:
    """The rows, of which a share is replaced by rows alike in age group and label."""
    chosen = np.flatnonzero(rng.random(len(rows)) < share)
    partners = rows.copy()
    partners[chosen] = source.alike.draw(rng, source.likeness[rows[chosen]])
    return partners


def _noisy_counts(rng: np.random.Generator, counts: pl.Series, noise: CountNoise) -> pl.Series:
    values = counts.to_numpy()
    shifted = values + np.rint(rng.normal(0, noise.deviation, len(values)))
    changed = rng.random(len(values)) < noise.share
    noisy = np.where(changed, np.clip(shifted, noise.lowest, noise.highest), values)
    return pl.Series(counts.name, noisy.astype(np.int16))
