"""What of a privacy budget is spent and left, in ε, as people read it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from anon_platform.dp import Loss, Measure
from anon_platform.ledger.accounts import OVERALL, Account, CapChange, Reservation
from anon_platform.ledger.caps import Cap, less


@dataclass(frozen=True, kw_only=True)
class Share:
    """One cap and what was taken of it; every ε of it but the basic one is at the δ of the cap."""

    recipient: str
    """Empty for all recipients together."""
    cap: Cap
    spent: Loss
    reserved: Loss
    left: Loss
    spent_epsilon: float
    taken_epsilon: float
    """Spent and reserved together, as the rule adds them up."""
    left_epsilon: float
    """The ε of a single release that takes all that is left."""
    basic_epsilon: float
    """What the stated ε of the same releases, spent and reserved, add up to (Dwork et al. 2006)."""
    basic_delta: float


@dataclass(frozen=True, kw_only=True)
class Balance:
    """The account of one population."""

    population: str
    rule: Measure
    overall: Share
    recipients: tuple[Share, ...]
    releases: tuple[Reservation, ...]
    """In the order of reservation, those given back too."""
    changes: tuple[CapChange, ...]
    """Of the caps, oldest first."""


def balance_of(account: Account) -> Balance:
    """The balance of an account."""
    return Balance(
        population=account.population,
        rule=account.rule,
        overall=_share(account, OVERALL),
        recipients=tuple(_share(account, who) for who in sorted(account.caps) if who != OVERALL),
        releases=tuple(account.releases.values()),
        changes=tuple(account.changes),
    )


@dataclass(frozen=True, kw_only=True)
class Step:
    """How much was spent from a moment on, at the δ of the cap of today."""

    at: str
    epsilon: float
    basic_epsilon: float


def course_of(balance: Balance, share: Share) -> tuple[Step, ...]:
    """What was spent under a cap after each release that drew noise, oldest first."""
    drawn = [
        each for each in balance.releases if each.spent_at and share.recipient in (OVERALL, each.recipient)
    ]
    drawn.sort(key=lambda each: each.spent_at)
    steps: list[Step] = []
    loss = Loss(balance.rule, 0)
    for number, each in enumerate(drawn, 1):
        loss += each.loss
        basic = _sum(one.epsilon for one in drawn[:number])
        steps.append(Step(at=each.spent_at, epsilon=share.cap.epsilon_of(loss), basic_epsilon=basic))
    return tuple(steps)


def _share(account: Account, who: str) -> Share:
    cap = account.caps[who]
    taken = account.taken(who)
    left = less(cap.loss, taken)
    spent = account.taken(who, ("spent", "settled"))
    held = [each for each in account.releases.values() if each.counts and who in (OVERALL, each.recipient)]
    return Share(
        recipient=who,
        cap=cap,
        spent=spent,
        reserved=account.taken(who, ("reserved",)),
        left=left,
        spent_epsilon=cap.epsilon_of(spent),
        taken_epsilon=cap.epsilon_of(taken),
        left_epsilon=cap.epsilon_of(left),
        basic_epsilon=_sum(each.epsilon for each in held),
        basic_delta=_sum(each.delta for each in held),
    )


def _sum(numbers: Iterable[float]) -> float:
    """Of the numbers as they are written: three times 0.1 is 0.3. Never above what a float can say."""
    total = sum((Fraction(repr(number)) for number in numbers), start=Fraction(0))
    return float(total) if total < Fraction(2) ** 1000 else math.inf
