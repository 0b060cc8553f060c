"""δ of keys that the data names, summed up from the noise: what one person alone has is shown no more often than is claimed.

OpenDP 0.16 leaves the threshold itself out of δ (opendp issue 2922); no number of runs would be a proof, this sum is.
"""

import math

import pytest

from anon_platform.dp import Loss
from anon_platform.dp.threshold import moves_of_people, moves_of_rows, threshold_for

FAR = 60
"""In scales: noise beyond it has chance e^-60."""


def chance_from(measure: str, scale: float, least: int) -> float:
    """Of noise at or above `least`."""
    width = math.ceil(FAR * scale)
    power = 2 if measure == "zcdp" else 1
    weights = [math.exp(-((abs(x) / scale) ** power) / power) for x in range(-width, width + 1)]
    return math.fsum(weights[least + width :]) / math.fsum(weights)


@pytest.mark.parametrize("delta_units", [10**16, 10**12])
@pytest.mark.parametrize("loss", [Loss("pure", 10**9), Loss("pure", 10**7), Loss("zcdp", 10**8)], ids=str)
@pytest.mark.parametrize("places", [1, 3])
def test_keys_that_only_one_person_has_are_shown_with_chance_delta_at_most(
    loss: Loss, delta_units: int, places: int
) -> None:
    """As many keys as a person may have, each counted once; of rows, all of them in one category as well."""
    granted = Loss(loss.measure, loss.units, delta_units)
    of_people = threshold_for(granted, moves_of_people(loss.measure, places))
    one = chance_from(loss.measure, of_people.scale, of_people.threshold - 1)
    assert (
        1 - (1 - one) ** places
        <= of_people.loss.delta_units * 1e-18 * (1 + 1e-9)
        <= granted.delta * (1 + 1e-9)
    )
    of_rows = threshold_for(granted, moves_of_rows(places))
    for keys, rows in {(places, 1), (1, places)}:
        one = chance_from(loss.measure, of_rows.scale, of_rows.threshold - rows)
        assert (
            1 - (1 - one) ** keys
            <= of_rows.loss.delta_units * 1e-18 * (1 + 1e-9)
            <= granted.delta * (1 + 1e-9)
        )
