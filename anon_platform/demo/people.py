"""Synthetic people: who they are called, when they were born, where they live."""

from dataclasses import dataclass, fields
from string import ascii_uppercase
from typing import Self

import numpy as np
import polars as pl

from anon_platform.demo.names import Names
from anon_platform.demo.places import Places
from anon_platform.demo.sampling import Ints

HOUSE_NUMBERS = 9_999
APARTMENTS = 400
APARTMENT_SHARE = 0.28
PHONE_LINES = 10_000


@dataclass(frozen=True)
class World:
    """The names and places that all people are drawn from."""

    names: Names
    places: Places

    @classmethod
    def load(cls) -> Self:
        """The world of the shipped reference tables."""
        return cls(Names.load(), Places.load())


@dataclass(frozen=True)
class People:
    """One entry a person in every array; names and places are positions in the tables of a World."""

    sex: Ints
    race: Ints
    birth_day: Ints
    """Days since 1970-01-01, negative before."""
    given_name: Ints
    initial: Ints
    family_name: Ints
    place: Ints
    street: Ints
    house: Ints
    apartment: Ints
    """0 for people who live in a house."""
    hospital: Ints
    area_code: Ints
    phone_line: Ints

    @classmethod
    def draw(
        cls, rng: np.random.Generator, world: World, *, sex: Ints, race: Ints, birth_day: Ints
    ) -> "People":
        """People of the given sex, race and birth day, with names and homes that fit them."""
        size = len(sex)
        names, places = world.names, world.places
        place = places.by_population.draw(rng, size)
        state = places.state_of[place]
        return cls(
            sex=sex,
            race=race,
            birth_day=birth_day,
            given_name=names.draw_given(rng, sex, race),
            initial=rng.integers(len(ascii_uppercase), size=size),
            family_name=names.draw_family(rng, race),
            place=place,
            street=rng.integers(len(places.streets), size=size),
            house=rng.integers(1, HOUSE_NUMBERS, size=size),
            apartment=np.where(rng.random(size) < APARTMENT_SHARE, rng.integers(1, APARTMENTS, size=size), 0),
            hospital=places.hospitals_of_state.draw(rng, state),
            area_code=places.area_codes_of_state.draw(rng, state),
            phone_line=rng.integers(PHONE_LINES, size=size),
        )

    def __len__(self) -> int:
        return len(self.sex)

    def take(self, who: Ints) -> "People":
        """The people at these positions, in this order, repeated if asked for more than once."""
        return People(**{field.name: getattr(self, field.name)[who] for field in fields(self)})

    def followed_by(self, others: "People") -> "People":
        """These people and then the others."""
        return People(
            **{f.name: np.concatenate([getattr(self, f.name), getattr(others, f.name)]) for f in fields(self)}
        )


def identity_columns(people: People, world: World) -> pl.DataFrame:
    """One row a person, eight columns that voter lists have too: given_name … street_address."""
    places = world.places
    address = pl.DataFrame(
        {"house": people.house, "street": places.streets.gather(people.street), "apartment": people.apartment}
    )
    return pl.DataFrame(
        {
            "given_name": world.names.given.gather(people.given_name),
            "middle_initial": pl.Series(list(ascii_uppercase)).gather(people.initial),
            "family_name": world.names.family.gather(people.family_name),
            "birth_date": dates(people.birth_day),
            "city": places.table["city"].gather(people.place),
            "state": places.table["state"].gather(people.place),
            "zip": places.table["zip"].gather(people.place),
            "street_address": address.select(_street_address()).to_series(),
        }
    )


def _street_address() -> pl.Expr:
    apartment = pl.when(pl.col("apartment") > 0).then(pl.format(" Apt {}", "apartment")).otherwise(pl.lit(""))
    return pl.concat_str(pl.col("house").cast(pl.String), pl.lit(" "), "street", apartment)


def dates(days: Ints) -> pl.Series:
    """Calendar dates of day numbers counted from 1970-01-01.

    >>> dates(np.array([0, 365])).to_list()
    [datetime.date(1970, 1, 1), datetime.date(1971, 1, 1)]
    """
    return pl.Series(days.astype(np.int32)).cast(pl.Date)


def ages(on_days: Ints, birth_days: Ints) -> Ints:
    """Completed years of life on a day; both arguments are day numbers counted from 1970-01-01.

    >>> ages(np.array([364, 365]), np.array([0, 0])).tolist()
    [0, 1]
    """
    return (_calendar_numbers(on_days) - _calendar_numbers(birth_days)) // 10_000


def _calendar_numbers(days: Ints) -> Ints:
    """The date written as the number YYYYMMDD; the difference of two, without its last four digits, is the age."""
    date = dates(days)
    year, month, day = (
        part.cast(pl.Int64).to_numpy() for part in (date.dt.year(), date.dt.month(), date.dt.day())
    )
    return np.asarray(year * 10_000 + month * 100 + day, dtype=np.int64)
