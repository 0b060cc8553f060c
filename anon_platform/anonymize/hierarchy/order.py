"""The check that a list of levels goes from fine to coarse."""

from collections.abc import Sequence
from typing import Any

from pydantic import field_validator


def in_order(order: Sequence[str]) -> Any:  # noqa: ANN401 - pydantic's decorated validator has no public type
    """A validator of a field `levels`: no level twice, finest first."""

    def check(levels: tuple[str, ...]) -> tuple[str, ...]:
        if list(levels) != [level for level in order if level in levels]:
            raise ValueError(f"levels go from fine to coarse, each once; the order is {', '.join(order)}")
        return levels

    return field_validator("levels")(staticmethod(check))
