"""Measures of usefulness beside the limits of the policy, of which its mode decides which refuse a release."""

from collections.abc import Iterator
from dataclasses import dataclass

from anon_platform.policy import Utility
from anon_platform.validate.metric import Metric, least, most


@dataclass(frozen=True)
class Limits:
    """What the policy says below utility, if anything."""

    utility: Utility | None

    def beside(
        self,
        limit: str | None,
        check: str,
        name: str,
        value: float | None,
        unit: str,
        *,
        at_least: bool = False,
        note: str = "",
    ) -> Iterator[Metric]:
        """The measure beside its limit, which is missed where there is no value; nothing where there is neither.

        limit: its key below utility; None where there is none. note: why there is no value, or what else is to say.
        """
        wanted = getattr(self.utility, limit, None) if limit is not None else None
        if value is None:
            if wanted is not None:
                yield self.shown(limit, _missed(check, name, wanted, unit, at_least=at_least, note=note))
            return
        found = (least if at_least else most)(check, name, value, wanted, unit)
        found = found.model_copy(update={"note": "; ".join(filter(None, [found.note, note]))})
        yield self.shown(limit, found)

    def shown(self, limit: str | None, metric: Metric) -> Metric:
        """The measure as it is, or without its limit where the mode does not let that refuse a release."""
        if self.utility is None or limit is None or metric.threshold is None:
            return metric
        if self.utility.refuses(limit):
            return metric
        words = f"{metric.threshold:g} is wished, which refuses nothing in mode {self.utility.mode}"
        note = "; ".join(filter(None, [words, metric.note]))
        return metric.model_copy(update={"threshold": None, "passed": True, "note": note})


def _missed(check: str, name: str, wanted: float, unit: str, *, at_least: bool, note: str) -> Metric:
    return Metric(
        check=check, name=name, value=None, threshold=wanted, at_least=at_least, passed=False, unit=unit,
        note=note or "it could not be measured",
    )  # fmt: skip
