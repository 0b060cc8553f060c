"""What was measured of a release before its clauses are judged, in a form that clauses can ask."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from anon_platform.validate.metric import Metric
from anon_platform.validate.ruling import Ruling, ruled

RISKS = (
    "maximum risk",
    "mean risk",
    "sample uniques",
    "journalist risk",
    "marketer risk",
    "population uniques",
)
"""Measures of risk by classes of quasi-identifiers, as the report calls them."""

ATTACKS = ("linkage", "singling_out", "linkability", "inference", "membership")
"""Checks of attacks that were run on the release."""


@dataclass(frozen=True)
class Measured:
    """metrics: every measure beside its threshold. detail: the numbers behind them, as in the assessment."""

    metrics: tuple[Metric, ...]
    detail: Mapping[str, Any]

    def value(self, name: str) -> float | None:
        """The value of a measure; None where it was not measured."""
        return next((metric.value for metric in self.metrics if metric.name == name), None)

    def of(self, *checks: str) -> list[Metric]:
        """The measures of these checks."""
        return [metric for metric in self.metrics if metric.check in checks]

    def missed(self, *checks: str) -> list[str]:
        """The measures that missed their thresholds, in words; of all checks where none is named."""
        return [
            in_words(metric) for metric in (self.of(*checks) if checks else self.metrics) if not metric.passed
        ]

    def told(self, *names: str) -> str:
        """The measures of these names with their values: `k 5, maximum risk 0.2`; those not measured are left out."""
        values = ((name, self.value(name)) for name in names)
        return ", ".join(f"{name} {value:.4g}" for name, value in values if value is not None)

    def attacked(self, *checks: str) -> Ruling | None:
        """What the attacks of these checks found; None where none was run.

        One that found more than the policy allows, or could not be run, fails; one without a bound is for a human.
        """
        metrics = self.of(*checks)
        if not metrics:
            return None
        failing = [in_words(metric) for metric in metrics if not metric.passed]
        unbounded = [
            f"{in_words(metric)}: the policy sets no bound, so say whether this is little enough"
            for metric in metrics
            if metric.passed and metric.threshold is None
        ]
        return ruled("attacks of this run: " + "; ".join(map(in_words, metrics)), failing, unbounded)

    @property
    def suppressed(self) -> int:
        """Records that were left out."""
        return int(self.detail["accounting"]["suppressed"])


def in_words(metric: Metric) -> str:
    """The measure with its value and its bound.

    >>> in_words(Metric(check="k_anonymity", name="k", value=3, threshold=5, at_least=True, passed=False, unit="people"))
    'k 3, at least 5 demanded'
    """
    if metric.value is None:
        return f"{metric.name} not measured ({metric.note})" if metric.note else f"{metric.name} not measured"
    words = f"{metric.name} {metric.value:.4g}"
    if metric.threshold is None:
        return words
    bound = f"{metric.threshold:.4g}"
    return f"{words}, at least {bound} demanded" if metric.at_least else f"{words}, at most {bound} allowed"
