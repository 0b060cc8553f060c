"""Which settings are tried: a grid over dimensions, the policy's own setting among them."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

from pydantic import Field

from anon_platform.errors import PolicyError
from anon_platform.policy import Policy
from anon_platform.spec import Spec

AROUND_K = (2, 3, 5, 10, 20)
AROUND_SUPPRESSED = (0.0, 0.01, 0.05, 0.1, 0.2)
"""What is tried where nothing else is asked for, beside the policy's own."""

LARGEST = 1_000
"""Settings that are tried at most."""


class Setting(Spec):
    """One combination. l, t: None where the policy has none; coarsest: by quasi-identifier, None for any level."""

    k: int
    l: int | None
    t: float | None
    suppressed_records: float
    coarsest: dict[str, str | None] = Field(default_factory=dict)

    def of(self, policy: Policy) -> Policy:
        """The policy whose search aims at this setting, and at nothing that the setting is about besides."""
        thresholds = policy.thresholds.model_copy(
            # 1 / k bounds the risk; the policy's own bound is held against what is measured
            update={
                "k": self.k,
                "l": self.l,
                "t": self.t,
                "suppressed_records": self.suppressed_records,
                "max_risk": None,
            }
        )
        columns = dict(policy.columns)
        for name, level in self.coarsest.items():
            column = columns[name]
            step = column.searched
            assert step is not None
            other = step.model_copy(update={"coarsest": level})
            treat = tuple(other if one is step else one for one in column.treat)
            columns[name] = column.model_copy(update={"treat": treat})
        return policy.model_copy(update={"thresholds": thresholds, "columns": columns})

    def in_words(self) -> str:
        """In a line of a table."""
        words = [f"k {self.k}", f"at most {self.suppressed_records:.1%} suppressed"]
        words += [] if self.l is None else [f"l {self.l}"]
        words += [] if self.t is None else [f"t {self.t:g}"]
        words += [f"{name} up to {level}" for name, level in self.coarsest.items() if level is not None]
        return ", ".join(words)


class Sweep(Spec):
    """The values of each dimension that are tried."""

    k: tuple[int, ...]
    l: tuple[int | None, ...]
    t: tuple[float | None, ...]
    suppressed_records: tuple[float, ...]
    coarsest: dict[str, tuple[str | None, ...]] = Field(default_factory=dict)

    def settings(self) -> list[Setting]:
        """All combinations, in order."""
        names = list(self.coarsest)
        return [
            Setting(k=k, l=l, t=t, suppressed_records=share, coarsest=dict(zip(names, levels, strict=True)))
            for k, l, t, share in product(self.k, self.l, self.t, self.suppressed_records)
            for levels in product(*(self.coarsest[name] for name in names))
        ]


DIMENSIONS: tuple[tuple[str, Callable[[Policy], Any], tuple[Any, ...]], ...] = (
    ("k", lambda policy: policy.thresholds.k, AROUND_K),
    ("l", lambda policy: policy.thresholds.l, ()),
    ("t", lambda policy: policy.thresholds.t, ()),
    ("suppressed_records", lambda policy: policy.thresholds.suppressed_records, AROUND_SUPPRESSED),
)
"""Name, the policy's own value, and what is tried beside it by default. A new one is a line here and a field above: the
budget ε joins with differentially private releases."""


def own_setting(policy: Policy, sweep: Sweep) -> Setting:
    """The policy's setting."""
    wanted = policy.thresholds
    steps = {name: policy.columns[name].searched for name in sweep.coarsest}
    return Setting(
        k=wanted.k or 1,
        l=wanted.l,
        t=wanted.t,
        suppressed_records=wanted.suppressed_records or 0.0,
        coarsest={name: step.coarsest for name, step in steps.items() if step is not None},
    )


def sweep_of(
    policy: Policy, asked: Mapping[str, Sequence[Any]], coarsest: Mapping[str, Sequence[str]]
) -> Sweep:
    """What is tried. asked: by dimension; coarsest: by quasi-identifier, levels beside the policy's own.

    What cannot be tried raises `PolicyError`.
    """
    _require_simple(policy)
    found: dict[str, tuple[Any, ...]] = {}
    for name, own, around in DIMENSIONS:
        values = tuple(asked.get(name) or around)
        found[name] = _with(values, own(policy))
        if not policy.sensitive and name in {"l", "t"} and asked.get(name):
            raise PolicyError(f"--{name}: no sensitive column leaves; leave it out")
    levels = {name: _levels(policy, name, tuple(of)) for name, of in coarsest.items()}
    sweep = Sweep(
        k=found["k"],
        l=found["l"],
        t=found["t"],
        suppressed_records=found["suppressed_records"],
        coarsest=levels,
    )
    if len(sweep.settings()) > LARGEST:
        raise PolicyError(
            f"{len(sweep.settings()):,} settings are more than {LARGEST:,}; try fewer values of a dimension"
        )
    return sweep


def _with(values: tuple[Any, ...], own: object) -> tuple[Any, ...]:
    if not values:
        return (own,)
    known = {*values, *(() if own is None else (own,))}
    return tuple(sorted(known))


def _require_simple(policy: Policy) -> None:
    if not policy.quasi_identifiers or policy.thresholds.k is None:
        raise PolicyError("the frontier is about k and quasi-identifiers that leave; the policy has none")
    if policy.thresholds.populations():
        raise PolicyError(
            "a policy with population tables has no frontier yet; take k_map.population and"
            " delta_presence out of a copy of it"
        )


def _levels(policy: Policy, name: str, levels: tuple[str, ...]) -> tuple[str | None, ...]:
    step = policy.columns[name].searched if name in policy.quasi_identifiers else None
    if step is None:
        raise PolicyError(
            f"--cap: {name} is no quasi-identifier that leaves; these are {', '.join(policy.quasi_identifiers)}"
        )
    known = step.hierarchy.level_names
    if unknown := [level for level in levels if level not in known]:
        raise PolicyError(
            f"--cap: {name} has no level {', '.join(unknown)}; its levels are {', '.join(known)}"
        )
    return (step.coarsest, *(level for level in levels if level != step.coarsest))
