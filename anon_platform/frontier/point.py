"""What one setting gives: risk, loss, and which thresholds of the policy it misses."""

from collections.abc import Iterator

from pydantic import Field

from anon_platform.frontier.sweep import Setting
from anon_platform.policy import Policy
from anon_platform.spec import Spec

HAIR = 1e-9
"""1/5 must meet 0.2 however it was computed."""


class Point(Spec):
    """A setting with what was measured of it, in numbers; no value of the data is in it.

    reason: why the setting cannot be, in words; everything else is empty then. levels: the level found for each
    quasi-identifier, empty for local recoding. l, t: by sensitive column. distance: of the column that moved most, at
    released detail. missed: thresholds of the policy that it misses, by name.
    """

    setting: Setting
    reason: str | None = None
    levels: dict[str, str] = Field(default_factory=dict)
    k: int = 0
    max_risk: float = 0.0
    mean_risk: float = 0.0
    unique_records: float = 0.0
    l: dict[str, int] = Field(default_factory=dict)
    t: dict[str, float] = Field(default_factory=dict)
    suppressed: float = 0.0
    information_loss: float = 0.0
    distance: float = 0.0
    distance_of: str = ""
    model_loss: float | None = None
    model_interval: tuple[float, float] | None = None
    missed: tuple[str, ...] = ()


def judged(point: Point, policy: Policy) -> Point:
    """The point with the thresholds of the policy that it misses; what was not measured is not judged."""
    return point.model_copy(update={"missed": tuple(_missed(point, policy))})


def _missed(point: Point, policy: Policy) -> Iterator[str]:
    wanted, utility = policy.thresholds, policy.utility
    worst_l, worst_t = min(point.l.values(), default=None), max(point.t.values(), default=None)
    at_least = (("k", point.k, wanted.k), ("l", worst_l, wanted.l))
    fidelity = wanted.fidelity if utility is None or utility.refuses("fidelity") else None
    loss = utility.information_loss if utility is not None and utility.refuses("information_loss") else None
    model = wanted.model_loss if utility is None or utility.refuses("model_loss") else None
    at_most = (
        ("t", worst_t, wanted.t),
        ("max_risk", point.max_risk, wanted.max_risk),
        ("mean_risk", point.mean_risk, wanted.mean_risk),
        ("unique_records", point.unique_records, wanted.unique_records),
        ("suppressed_records", point.suppressed, wanted.suppressed_records),
        ("fidelity", point.distance, fidelity),
        ("information_loss", point.information_loss, loss),
        ("model_loss", point.model_loss, model),
    )
    yield from (name for name, value, limit in at_least if None not in (value, limit) and value < limit)  # type: ignore[operator]
    yield from (
        name
        for name, value, limit in at_most
        if None not in (value, limit) and value > limit + HAIR  # type: ignore[operator]
    )
