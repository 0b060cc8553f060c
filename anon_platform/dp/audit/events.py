"""The event that tells whether a person is in the data: fixed on draws of its own, then counted on others."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from anon_platform.dp.audit.bounds import Seen

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Scores = NDArray[np.float64]

MOST = 400
"""Thresholds that are tried."""


@dataclass(frozen=True)
class Event:
    """Scores on one side of a threshold: more likely with the person than without."""

    threshold: float
    above: bool
    """At or above the threshold; else below it."""

    def count(self, scores: "Scores") -> int:
        """In how many runs it was seen."""
        return int(((scores >= self.threshold) == self.above).sum())

    def seen(self, with_person: "Scores", without: "Scores") -> Seen:
        """Counts on both sides. scores: one number a run, computed from its output alone."""
        return Seen(self.count(with_person), len(with_person), self.count(without), len(without))


@dataclass(frozen=True)
class Audit:
    """A lower bound, and the counts it is from."""

    bound: float
    event: Event
    seen: Seen


def event_for(with_person: "Scores", without: "Scores", bound: Callable[[Seen], float]) -> Event:
    """The event with the greatest bound on these draws, which must not be used for anything else."""
    import numpy as np

    scores = np.unique(np.concatenate([with_person, without]))
    if len(scores) > MOST:
        scores = scores[np.linspace(0, len(scores) - 1, MOST).round().astype(int)]
    tried = [Event(float(threshold), above) for threshold in scores for above in (True, False)]

    def worth(event: Event) -> tuple[float, float]:
        # where few draws bound nothing, the event whose rates differ most
        seen = event.seen(with_person, without)
        return bound(seen), seen.hits / seen.runs - seen.other_hits / seen.other_runs

    return max(tried, key=worth)


def audited(
    with_person: "Scores",
    without: "Scores",
    bound: Callable[[Seen], float],
    *,
    pilot: int,
    choose: Callable[[Seen], float] | None = None,
) -> Audit:
    """The bound from all draws but the first `pilot` on each side, on which the event is chosen.

    scores: one number a run of the mechanism, independent of each other. bound: such as `epsilon_lower_bound`. choose: by
    what the event is chosen, where not by the bound itself, which may lean to rare events.
    """
    event = event_for(with_person[:pilot], without[:pilot], choose or bound)
    seen = event.seen(with_person[pilot:], without[pilot:])
    return Audit(bound(seen), event, seen)
