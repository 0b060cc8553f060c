"""How sure a share of successful attacks is, and what is left of it when what works on anybody is taken off."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Share:
    """A share of `n` attempts with its interval. value: successes / n; low, high: ends of the interval, 0 to 1."""

    successes: int
    n: int
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Risk:
    """main: attack on people of the source; control: on others, or blind guesses; value, low, high: the risk, 0 to 1."""

    main: Share
    control: Share
    value: float
    low: float
    high: float


def wilson(successes: int, n: int, confidence: float) -> Share:
    """A share with its two-sided Wilson score interval; nothing is known of 0 attempts: (0, 1).

    Source: Wilson 1927, Probable inference, the law of succession, and statistical inference; Brown, Cai, DasGupta 2001,
    Interval estimation for a binomial proportion, section 3.1.1.

    >>> share = wilson(5, 100, 0.95)
    >>> round(share.low, 4), round(share.high, 4)
    (0.0215, 0.1118)
    """
    if not n:
        return Share(0, 0, 0.0, 0.0, 1.0)
    centre, half = _wilson_centre(successes, n, confidence)
    low = 0.0 if not successes else max(centre - half, 0.0)
    high = 1.0 if successes == n else min(centre + half, 1.0)
    return Share(successes, n, successes / n, low, high)


def residual(main: Share, control: Share, confidence: float) -> Risk:
    """The risk that is due to the release: R = (r_main − r_control) / (1 − r_control), and its interval.

    The rates are centres of Wilson intervals and their errors half widths, as in the source; the error of R by
    propagation: (e_main / (1 − r_control))² + ((1 − r_main) e_control / (1 − r_control)²)² under the root. R and its
    interval are cut to 0 to 1; of no attempt the interval is all of it.
    Source: Giomi, Boenisch, Wehmeyer, Tasnádi 2023, A unified framework for quantifying privacy risk in synthetic data,
    PoPETs 2023(2) (the risk against a control set, and its error).

    >>> risk = residual(wilson(600, 1000, 0.95), wilson(200, 1000, 0.95), 0.95)
    >>> round(risk.value, 2), round(risk.low, 2), round(risk.high, 2)
    (0.5, 0.46, 0.54)
    """
    if not main.n or not control.n:
        return Risk(main, control, 0.0, 0.0, 1.0)
    rate, error = _wilson_centre(main.successes, main.n, confidence)
    rate_of_control, error_of_control = _wilson_centre(control.successes, control.n, confidence)
    rest = 1 - rate_of_control
    risk = (rate - rate_of_control) / rest
    half = math.hypot(error / rest, (1 - rate) * error_of_control / rest**2)
    return Risk(main, control, _cut(risk), _cut(risk - half), _cut(risk + half))


def newcombe(first: Share, second: Share) -> tuple[float, float]:
    """The interval of the difference of two independent shares, from their Wilson intervals.

    Source: Newcombe 1998, Interval estimation for the difference between independent proportions, method 10.

    >>> low, high = newcombe(wilson(56, 70, 0.95), wilson(48, 80, 0.95))
    >>> round(low, 4), round(high, 4)
    (0.0524, 0.3339)
    """
    difference = first.value - second.value
    low = difference - math.hypot(first.value - first.low, second.high - second.value)
    high = difference + math.hypot(first.high - first.value, second.value - second.low)
    return low, high


def _wilson_centre(successes: int, n: int, confidence: float) -> tuple[float, float]:
    """Centre and half width."""
    from scipy.stats import norm

    z = float(norm.ppf((1 + confidence) / 2))
    share = successes / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return centre, half


def _cut(value: float) -> float:
    return min(max(value, 0.0), 1.0)
