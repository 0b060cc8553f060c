"""Where people live and are treated: ZIP codes by population, streets, area codes, 130 hospitals."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from anon_platform.demo.reference import area_codes, table
from anon_platform.demo.sampling import GroupedChoice, Ints, WeightedChoice, stream

HOSPITALS = 130
_HOSPITAL_SEED = 130
"""The hospitals are the same for every seed, as they are part of the world and not of the sample."""
_HOSPITAL_KINDS = (
    "General",
    "Memorial",
    "Regional Medical Center",
    "University Hospital",
    "St. Mary",
    "Mercy",
    "Baptist",
    "Community",
    "Methodist",
    "Good Samaritan",
    "Sacred Heart",
    "Providence",
)


@dataclass(frozen=True)
class Places:
    """Tables of places and the choices among them."""

    table: pl.DataFrame
    """One row a ZIP code: zip, pop2010, state, city."""
    by_population: WeightedChoice
    """Draws positions in `table`."""
    streets: pl.Series
    state_of: Ints
    """State of each row of `table`, as its position in the sorted list of states."""
    hospitals: pl.Series
    hospitals_of_state: GroupedChoice
    """Positions in `hospitals`, by state; a state without any is served by all of them."""
    area_codes_of_state: GroupedChoice

    @classmethod
    def load(cls) -> Self:
        """The places of the US Census 2010."""
        places = table("zcta_pop2010")
        states = sorted(set(places["state"]))
        by_population = WeightedChoice.of(places["pop2010"])
        state_of = (places["state"].rank("dense") - 1).cast(pl.Int64).to_numpy()
        seats = by_population.draw(stream(_HOSPITAL_SEED, "hospitals"), HOSPITALS)
        codes = area_codes()
        return cls(
            table=places,
            by_population=by_population,
            streets=table("street_names").to_series(),
            state_of=state_of,
            hospitals=_hospital_names(places["city"].gather(seats)),
            hospitals_of_state=_hospitals_of_state(state_of[seats], len(states)),
            area_codes_of_state=GroupedChoice.of([codes[state] for state in states]),
        )


def _hospital_names(cities: pl.Series) -> pl.Series:
    kinds = [_HOSPITAL_KINDS[i % len(_HOSPITAL_KINDS)] for i in range(len(cities))]
    return pl.select(pl.concat_str(cities, pl.Series(kinds), separator=" ")).to_series()


def _hospitals_of_state(seats: Ints, states: int) -> GroupedChoice:
    everywhere = list(range(len(seats)))
    return GroupedChoice.of(
        [np.flatnonzero(seats == state).tolist() or everywhere for state in range(states)]
    )
