"""Identified data in, trustworthy release out: configured by one policy file, measured on the bytes that leave.

>>> import anon_platform
>>> sorted(anon_platform.__all__)
['Outcome', 'Plan', 'Policy', 'Table', 'VerifiedRelease', 'load_policy', 'plan', 'run', 'verify']
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anon_platform.pipeline.plan import Plan, plan
    from anon_platform.pipeline.run import Outcome, run
    from anon_platform.pipeline.verify import VerifiedRelease, verify
    from anon_platform.policy import Policy, load_policy
    from anon_platform.table import Table

__all__ = ["Outcome", "Plan", "Policy", "Table", "VerifiedRelease", "load_policy", "plan", "run", "verify"]

_ROOMS = {"Policy": "policy", "load_policy": "policy", "Table": "table"}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - any public name
    """The public name, from the room it lives in; imported when it is asked for, for the rooms are heavy."""
    if name not in __all__:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(import_module(f"{__name__}.{_ROOMS.get(name, 'pipeline')}"), name)
