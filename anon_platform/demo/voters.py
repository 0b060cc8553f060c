"""A public voter list: some patients, many strangers, and the mistakes that real lists have."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from anon_platform.demo.names import RACE_SHARES, SEXES
from anon_platform.demo.people import People, World, ages, dates, identity_columns
from anon_platform.demo.sampling import Flags, Ints, Numbering, WeightedChoice
from anon_platform.demo.timeline import DAYS_PER_YEAR, LAST_DAY

VOTING_AGE = 18
MOVED_RATE = 0.10
RENAMED_RATE = 0.03
"""Of the women, by marriage."""
BIRTH_DATE_RATE = 0.01
TYPO_RATE = 0.02

_VOTER_PRIME, _VOTER_BASE = 89_999_999, 10_000_000
_PARTIES = ("DEM", "REP", "UNA", "LIB")
_PARTY_SHARES = (0.36, 0.31, 0.32, 0.01)
_FIRST_REGISTRATION = int(np.datetime64("1980-01-01", "D").astype(np.int64))
_LONGEST_NAME_WITHOUT_TYPO = 2
_COLUMNS = (
    "voter_id",
    "family_name",
    "given_name",
    "middle_initial",
    "birth_date",
    "sex",
    "street_address",
    "city",
    "state",
    "zip",
    "party",
    "registered",
)


@dataclass(frozen=True)
class VoterList:
    """The public list and the truth about it."""

    voters: pl.DataFrame
    """One row a voter, 12 columns, no medical data."""
    links: pl.DataFrame
    """voter_id, patient_id and changed: what the list has wrong, "" if nothing, else names joined by ";"."""


@dataclass(frozen=True)
class Mistakes:
    """Which entries of the list differ from the patient they stand for, one flag an entry."""

    address: Flags
    family_name: Flags
    birth_date: Flags
    typo: Flags

    @classmethod
    def draw(cls, rng: np.random.Generator, listed: People, noise: float) -> "Mistakes":
        """Mistakes at the usual rates times `noise`, at 0 none."""
        chance = rng.random((4, len(listed)))
        return cls(
            address=chance[0] < MOVED_RATE * noise,
            family_name=(chance[1] < RENAMED_RATE * noise) & (listed.sex == SEXES.index("F")),
            birth_date=chance[2] < BIRTH_DATE_RATE * noise,
            typo=chance[3] < TYPO_RATE * noise,
        )

    def summary(self) -> pl.Series:
        """The names of the mistakes of each entry, joined by ";"."""
        flags = pl.DataFrame(
            {name: getattr(self, name) for name in ("address", "family_name", "birth_date", "typo")}
        )
        words = [pl.when(pl.col(name)).then(pl.lit(name)) for name in flags.columns]
        return flags.select(pl.concat_str(words, separator=";", ignore_nulls=True)).to_series()


def voter_list(
    rng: np.random.Generator,
    patients: People,
    patient_ids: pl.Series,
    world: World,
    *,
    size: int,
    overlap: float,
    noise: float,
) -> VoterList:
    """A list of `size` voters in random order, on which a share `overlap` of the patients stands.

    Only patients of voting age are listed, and no more than the list can hold.
    """
    listed = _listed_patients(rng, patients, size, overlap)
    true_entries = patients.take(listed)
    mistakes = Mistakes.draw(rng, true_entries, noise)
    entries, mistakes = _with_mistakes(rng, true_entries, mistakes, world)
    strangers = _strangers(rng, world, size - len(listed))
    order = rng.permutation(size)
    typo = np.concatenate([mistakes.typo, np.zeros(len(strangers), dtype=np.bool_)])[order]
    voters = _table(rng, entries.followed_by(strangers).take(order), typo, world)
    known = np.flatnonzero(order < len(listed))
    links = pl.DataFrame(
        {
            "voter_id": voters["voter_id"].gather(known),
            "patient_id": patient_ids.gather(listed[order[known]]),
            "changed": mistakes.summary().gather(order[known]),
        }
    )
    return VoterList(voters, links)


def _listed_patients(rng: np.random.Generator, patients: People, size: int, overlap: float) -> Ints:
    adults = np.flatnonzero(ages(np.full(len(patients), LAST_DAY), patients.birth_day) >= VOTING_AGE)
    return rng.choice(adults, min(round(overlap * len(patients)), len(adults), size), replace=False)


def _strangers(rng: np.random.Generator, world: World, size: int) -> People:
    years = VOTING_AGE + 72 * rng.beta(1.15, 1.75, size)
    return People.draw(
        rng,
        world,
        sex=rng.integers(len(SEXES), size=size),
        race=WeightedChoice.of(RACE_SHARES).draw(rng, size),
        birth_day=LAST_DAY - np.ceil(years * DAYS_PER_YEAR).astype(np.int64) - 1,
    )


def _with_mistakes(
    rng: np.random.Generator, people: People, mistakes: Mistakes, world: World
) -> tuple[People, Mistakes]:
    """The entries as the list has them, and the mistakes that really changed something."""
    size = len(people)
    elsewhere = People.draw(rng, world, sex=people.sex, race=people.race, birth_day=people.birth_day)
    family_name = np.where(mistakes.family_name, elsewhere.family_name, people.family_name)
    birth_day = people.birth_day + np.where(mistakes.birth_date, rng.integers(1, 28, size=size), 0)
    moved = {
        name: np.where(mistakes.address, getattr(elsewhere, name), getattr(people, name))
        for name in ("place", "street", "house", "apartment")
    }
    entries = replace(people, family_name=family_name, birth_day=birth_day, **moved)
    spelled = world.names.family.gather(family_name).str.len_chars().to_numpy()
    real = replace(
        mistakes,
        address=mistakes.address & ((entries.place != people.place) | (entries.street != people.street)),
        family_name=family_name != people.family_name,
        typo=mistakes.typo & (spelled > _LONGEST_NAME_WITHOUT_TYPO),
    )
    return entries, real


def _table(rng: np.random.Generator, people: People, typo: Flags, world: World) -> pl.DataFrame:
    size = len(people)
    numbers = Numbering.draw(rng, _VOTER_PRIME).of(np.arange(size, dtype=np.int64)) + _VOTER_BASE
    party = WeightedChoice.of(_PARTY_SHARES).draw(rng, size)
    name = pl.col("family_name")
    third_letter_lost = pl.concat_str(name.str.slice(0, 2), name.str.slice(3))
    return (
        identity_columns(people, world)
        .with_columns(
            family_name=pl.when(pl.Series(typo)).then(third_letter_lost).otherwise(name),
            voter_id=pl.Series(numbers),
            sex=pl.Series(SEXES).gather(people.sex),
            party=pl.Series(_PARTIES).gather(party),
            registered=dates(_registration_days(rng, people)),
        )
        .with_columns(voter_id=pl.format("V{}", "voter_id"))
        .select(_COLUMNS)
    )


def _registration_days(rng: np.random.Generator, people: People) -> Ints:
    """A day between the eighteenth birthday, or 1980 for older people, and the end of 2008."""
    adult = people.birth_day + int(np.ceil(VOTING_AGE * DAYS_PER_YEAR)) + 1
    earliest = np.minimum(np.maximum(adult, _FIRST_REGISTRATION), LAST_DAY)
    registered: Ints = earliest + (rng.random(len(people)) * (LAST_DAY - earliest + 1)).astype(np.int64)
    return registered
