"""Given and family names, drawn with their frequency in the population of a sex and a race."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from anon_platform.demo.reference import table
from anon_platform.demo.sampling import Ints, WeightedChoice

SEXES = ("F", "M")
RACES = ("Caucasian", "AfricanAmerican", "Hispanic", "Asian", "Other")
RACE_SHARES = (0.64, 0.12, 0.16, 0.05, 0.03)
"""Of the population at large; the order is that of RACES."""

_GIVEN_NAME_COLUMN = {
    "Caucasian": "white",
    "AfricanAmerican": "black",
    "Hispanic": "hispanic",
    "Asian": "api",
}
_FAMILY_NAME_COLUMN = {
    "Caucasian": "pctwhite",
    "AfricanAmerican": "pctblack",
    "Hispanic": "pcthispanic",
    "Asian": "pctapi",
}
_SUPPRESSED_PERCENT = 0.5
"""Stands for the percentages that the Census Bureau withheld because they rest on few people."""


def proper_case(capitals: pl.Expr) -> pl.Expr:
    """Expression: the name in everyday spelling.

    >>> pl.DataFrame({"name": ["SMITH", "MCDONALD"]}).select(proper_case(pl.col("name"))).rows()
    [('Smith',), ('McDonald',)]
    """
    scottish = capitals.str.starts_with("MC") & (capitals.str.len_chars() > len("Mc") + 1)
    rest = capitals.str.slice(len("Mc")).str.to_titlecase()
    return pl.when(scottish).then(pl.concat_str(pl.lit("Mc"), rest)).otherwise(capitals.str.to_titlecase())


def race_ratios() -> pl.DataFrame:
    """How much likelier each given name is within a race than overall: `name` and one column a race.

    Ratios are kept within 0.02 and 12, since the survey behind them is small for rare names.
    """
    given = table("first_name_given_race")
    columns = list(_GIVEN_NAME_COLUMN.values())
    overall = pl.sum_horizontal(pl.col(c) * share for c, share in zip(columns, RACE_SHARES, strict=False))
    return given.select("name", *((pl.col(c) / overall).clip(0.02, 12) for c in columns))


@dataclass(frozen=True)
class Names:
    """Lists of names and the choices among them."""

    given: pl.Series
    """Given names; those of women come first."""
    family: pl.Series
    given_choices: dict[tuple[int, int], WeightedChoice]
    """By (sex, race); draws positions counted from the first name of that sex."""
    first_of_sex: tuple[int, int]
    family_choices: tuple[WeightedChoice, ...]
    """By race."""

    @classmethod
    def load(cls) -> Self:
        """The names of the US Census with their frequencies."""
        ratios = race_ratios()
        by_sex = [
            table(f"first_{word}_1990")
            .join(ratios, on="name", how="left", maintain_order="left")
            .fill_null(1.0)
            for word in ("female", "male")
        ]
        families = table("surnames_2000").with_columns(pl.col("^pct.*$").fill_null(_SUPPRESSED_PERCENT))
        return cls(
            given=pl.concat([names["name"] for names in by_sex]).str.to_titlecase(),
            family=families.select(proper_case(pl.col("name"))).to_series(),
            given_choices={
                (sex, code): _choice(names, "pct", _GIVEN_NAME_COLUMN.get(race))
                for sex, names in enumerate(by_sex)
                for code, race in enumerate(RACES)
            },
            first_of_sex=(0, by_sex[0].height),
            family_choices=tuple(_choice(families, "count", _FAMILY_NAME_COLUMN.get(race)) for race in RACES),
        )

    def draw_given(self, rng: np.random.Generator, sex: Ints, race: Ints) -> Ints:
        """Positions in `given`, one a person; sex and race are positions in SEXES and RACES."""
        drawn = np.zeros(len(sex), dtype=np.int64)
        for (sex_code, race_code), choice in self.given_choices.items():
            group = np.flatnonzero((sex == sex_code) & (race == race_code))
            drawn[group] = choice.draw(rng, len(group)) + self.first_of_sex[sex_code]
        return drawn

    def draw_family(self, rng: np.random.Generator, race: Ints) -> Ints:
        """Positions in `family`, one a person."""
        drawn = np.zeros(len(race), dtype=np.int64)
        for race_code, choice in enumerate(self.family_choices):
            group = np.flatnonzero(race == race_code)
            drawn[group] = choice.draw(rng, len(group))
        return drawn


def _choice(names: pl.DataFrame, weight: str, factor: str | None) -> WeightedChoice:
    weights = names[weight].cast(pl.Float64)
    return WeightedChoice.of(weights if factor is None else weights * names[factor].cast(pl.Float64))
