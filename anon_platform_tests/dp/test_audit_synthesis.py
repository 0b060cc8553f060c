"""One run of the synthesizer: who sees the table guesses no better who is in it than ε allows."""

import pytest

from anon_platform.dp.synthetic import light
from anon_platform_tests.dp.audited_mechanisms import CLAIM, noise_too_small
from anon_platform_tests.dp.audited_synthesis import ONE_RUNS, one_run


@pytest.mark.parametrize("name", ONE_RUNS)
def test_guesses_from_one_synthetic_table_are_no_better_than_its_epsilon_allows(name: str) -> None:
    """Of thousands of people at once; a sound synthesizer fails once in a thousand times."""
    assert one_run(name).bound <= CLAIM


@pytest.mark.parametrize("name", ["noisy marginals, one column", "synthetic table, one column"])
def test_a_synthesizer_with_too_little_noise_is_caught_by_one_run(name: str) -> None:
    """And where all of the loss goes to what is looked at, a sound one comes near its claim."""
    assert one_run(name).bound > 0.5
    with noise_too_small(2.0, light):
        assert one_run(name).bound > CLAIM
