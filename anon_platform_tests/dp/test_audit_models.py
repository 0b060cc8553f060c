"""A quick audit of trained models: what is released of one tells no more of a person than its ε, and broken ones are caught.

Every bound here fails with a chance of at most one in a thousand.
"""

import pytest

from anon_platform.dp.audit import Event
from anon_platform_tests.dp.audited_mechanisms import CLAIM, Mechanism
from anon_platform_tests.dp.audited_models import (
    MODEL,
    MODEL_INSIDE,
    MODEL_OUTSIDE,
    PER_ROW,
    gradients_too_quiet,
    model,
    one_run_of_model,
)

RUNS = 200
"""A side; what they find of what is broken shows that they would find something."""


def bound_of(mechanism: Mechanism, event: Event, runs: int) -> float:
    """The bound from an event that is known to be a good one."""
    with_person, without = (mechanism.scores(with_person=side, runs=runs, seed=0) for side in (True, False))
    return mechanism.bound(event.seen(with_person, without))


@pytest.mark.parametrize(("what", "delta"), [(MODEL, 0.01), (MODEL_INSIDE, 0.01), (MODEL_OUTSIDE, 0.0)])
def test_a_model_loses_no_more_than_it_claims_on_whichever_side_the_person_is(
    what: str, delta: float
) -> None:
    """From ten rows of a person, in categories that nobody else has, to the released numbers."""
    event = Event(1.0 if what == MODEL_OUTSIDE else 0.02, above=True)
    assert bound_of(model(what, delta=delta), event, RUNS) <= CLAIM


def test_a_model_that_clips_rows_instead_of_people_is_caught() -> None:
    """The person has ten of them."""
    assert bound_of(model(MODEL, PER_ROW), Event(0.08, above=True), 100) > CLAIM


def test_gradients_with_too_little_noise_are_caught() -> None:
    """By half is caught by thousands of runs, in `make audit-dp`; by four times in hundreds."""
    with gradients_too_quiet(4.0):
        assert bound_of(model(MODEL), Event(0.05, above=True), 2 * RUNS) > CLAIM


def test_guesses_from_the_scores_of_one_model_are_no_better_than_its_epsilon_allows() -> None:
    """Of ten thousand people at once; with a third of the noise they are."""
    assert 0.1 < one_run_of_model(10_000).bound <= CLAIM
    with gradients_too_quiet(3.0):
        assert one_run_of_model(10_000).bound > CLAIM
