"""Models of class size: against a population that the attacker may know, and of a whole table."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl

    from anon_platform.frequency.cells import Floats, Ints


def beside_population(
    of_classes: "pl.DataFrame", population: "pl.DataFrame", quasi_identifiers: Sequence[str]
) -> "pl.DataFrame":
    """One row a class of the data or of the population: `people` of the data and `population`, 0 where it has none.

    of_classes: with `people`; population: frequency table of one row a person, with `n`; both over the released
    quasi-identifiers, nulls a value of their own. With no quasi-identifier everybody is in one class.

    >>> import polars as pl
    >>> data = pl.DataFrame({"age": [30, 40], "people": [2, 1]})
    >>> beside_population(data, pl.DataFrame({"age": [30, 50], "n": [9, 7]}), ["age"]).sort("population").rows()
    [(1, 0), (0, 7), (2, 9)]
    """
    import polars as pl

    names = list(quasi_identifiers)
    if not names:
        return pl.DataFrame({"people": [of_classes["people"].sum()], "population": [population["n"].sum()]})
    left = of_classes.select(*names, pl.col("people").cast(pl.Int64).alias("__people__"))
    right = population.group_by(names).agg(pl.col("n").sum().cast(pl.Int64).alias("__population__"))
    joined = left.join(right, on=names, how="full", nulls_equal=True, coalesce=True)
    return joined.select(
        people=pl.col("__people__").fill_null(0), population=pl.col("__population__").fill_null(0)
    )


def presence(people: "Ints", population: "Ints") -> "Floats":
    """The chance that a member of the population who matches a class is in the data: people / population.

    people, population: one number a class of the population; a class that nobody of the data is in has people 0.
    Infinity where the data has people whom the population lacks: then it is not the population of this data.
    Source: Nergiz, Atzori, Clifton 2007, Hiding the presence of individuals from shared databases (δ-presence of a
    non-overlapping generalization).

    >>> import numpy as np
    >>> presence(np.array([2, 0, 1]), np.array([4, 5, 0])).tolist()
    [0.5, 0.0, inf]
    """
    import numpy as np

    some = np.divide(people, population, out=np.full(len(people), np.inf), where=population > 0)
    return np.where((people == 0) & (population == 0), 0.0, some)


def people_for_k_map(k: int, sampling_fraction: float, significance: float) -> int:
    """People a class needs in a sample, for at least k people in the population's class to be believed.

    The smallest n with P(X ≥ n | X ≥ 1) ≤ significance, where X is Poisson with mean k · sampling_fraction: were
    there no more than k in the population, so many would hardly be drawn. At most k, since the sample is a part of the
    population.
    Source: El Emam, Dankar 2008, Protecting privacy using k-anonymity, JAMIA 15(5), the estimator D4 (zero-truncated
    Poisson), as in ARX's k-map.

    >>> people_for_k_map(10, 0.1, 0.05), people_for_k_map(5, 1.0, 0.05)
    (4, 5)
    """
    mean = k * sampling_fraction
    seen = -math.expm1(-mean)
    chance = mean * math.exp(-mean)
    rest, n = 1.0, 1
    while rest > significance and n < k:
        rest -= chance / seen
        n += 1
        chance *= mean / n
    return n


def people_for_risk(max_risk: float | None) -> int:
    """People a class needs for a prosecutor risk of at most `max_risk`; a single one when there is no bound.

    >>> people_for_risk(0.2), people_for_risk(0.09), people_for_risk(None)
    (5, 12, 1)
    """
    return math.ceil(1 / (max_risk + 1e-9)) if max_risk is not None else 1


def mean_risk(people: "Ints", records: "Ints") -> float:
    """Prosecutor risk of the average record: the mean over records of 1 / people in the class; 0 without records.

    Source: El Emam 2013, Guide to the De-Identification of Personal Health Information, chapter 16.

    >>> import numpy as np
    >>> mean_risk(np.array([2, 1]), np.array([4, 1]))
    0.6
    """
    total = int(records.sum())
    return float((records / people).sum() / total) if total else 0.0


def unique_share(people: "Ints", records: "Ints") -> float:
    """Share of records in a class of one person; 0 without records.

    >>> import numpy as np
    >>> unique_share(np.array([2, 1]), np.array([4, 1]))
    0.2
    """
    total = int(records.sum())
    return int(records[people == 1].sum()) / total if total else 0.0
