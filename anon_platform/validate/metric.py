"""One measure beside its threshold."""

from anon_platform.spec import Spec


class Metric(Spec):
    """One measure. A blocking metric that misses its threshold refuses the release."""

    check: str
    """The asset check it belongs to: k_anonymity, l_diversity, …"""
    name: str
    value: float | None
    """None when it could not be measured; `note` says why."""
    threshold: float | None
    """None when the policy demands nothing; the value is shown all the same."""
    at_least: bool
    """Whether the value has to reach the threshold (k, l) or to stay below it (risk, loss)."""
    passed: bool
    unit: str
    note: str = ""
    """For a missed threshold by how much, and what would meet it."""


def least(check: str, name: str, value: float, threshold: float | None, unit: str) -> Metric:
    """A measure that has to reach its threshold."""
    passed = threshold is None or value >= threshold
    note = "" if passed else f"missed by {threshold - value:g}; a threshold of {value:g} would be met"  # type: ignore[operator]
    return Metric(
        check=check, name=name, value=float(value), threshold=threshold, at_least=True,
        passed=passed, unit=unit, note=note,
    )  # fmt: skip


def most(check: str, name: str, value: float, threshold: float | None, unit: str) -> Metric:
    """A measure that has to stay at or below its threshold."""
    # a hair of tolerance: 1/5 must meet 0.2 however it was computed
    passed = threshold is None or value <= threshold + 1e-9
    note = "" if passed else f"missed by {value - threshold:.4f}; a threshold of {value:.4f} would be met"  # type: ignore[operator]
    return Metric(
        check=check, name=name, value=float(value), threshold=threshold, at_least=False,
        passed=passed, unit=unit, note=note,
    )  # fmt: skip
