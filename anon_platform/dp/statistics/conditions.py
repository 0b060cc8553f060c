"""Conditions on rows: checked against the public domain of their column, then read as Polars expressions."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from anon_platform.dp.domain import Categories, Dates, Domain, Numbers
from anon_platform.dp.statistics.axes import plain
from anon_platform.dp.statistics.settings import Condition, Constant
from anon_platform.errors import PolicyError

if TYPE_CHECKING:
    import polars as pl

_EQUALITIES = {"equals", "differs_from", "one_of", "none_of"}


def require_condition(statistic: str, condition: Condition, domain: Domain) -> None:
    """Raises `PolicyError` where a condition does not fit the domain of its column."""
    place = f"statistic {statistic}: where {condition.column}"
    if isinstance(domain, Categories):
        if set(condition.comparisons) - _EQUALITIES:
            raise PolicyError(
                f"{place}: categories have no order; compare with equals, differs_from, one_of or none_of"
            )
        known = None if domain.values == "found" else {*domain.values, domain.other} - {None}
        for constant in condition.constants:
            if known is not None and not any(
                type(constant) is type(one) and constant == one for one in known
            ):
                raise PolicyError(
                    f"{place}: a category that its domain does not name; name it there, or correct it"
                )
    for constant in condition.constants:
        if isinstance(domain, Numbers) and (
            isinstance(constant, bool) or not isinstance(constant, int | float)
        ):
            raise PolicyError(f"{place}: the column holds numbers; compare it with numbers")
        if isinstance(domain, Dates) and _day(constant) is None:
            raise PolicyError(f'{place}: the column holds days; compare it with days such as "2024-03-01"')


def is_category(column: str, category: Constant, domain: Domain) -> "pl.Expr":
    """Whether a row is of the category; null where it is missing."""
    return plain(column, domain).eq(_typed(category, domain))


def holds(conditions: Sequence[Condition], domains: Mapping[str, Domain]) -> "pl.Expr":
    """Whether all conditions hold for a row; never null. Values are compared as their domain sees them."""
    import polars as pl

    found = pl.lit(value=True)
    for condition in conditions:
        domain = domains[condition.column]
        value = plain(condition.column, domain)
        if condition.missing is not None:
            found &= value.is_null() if condition.missing else value.is_not_null()
        for name, constant in condition.comparisons.items():
            found &= _compared(value, name, _typed(constant, domain)).fill_null(value=False)
    return found


def _compared(value: "pl.Expr", name: str, constant: Any) -> "pl.Expr":  # noqa: ANN401
    if name in ("one_of", "none_of"):
        within = value.is_in(list(constant))
        return within if name == "one_of" else ~within
    return {
        "equals": value.eq,
        "differs_from": value.ne,
        "at_least": value.ge,
        "at_most": value.le,
        "above": value.gt,
        "below": value.lt,
    }[name](constant)


def _typed(constant: Constant | tuple[Constant, ...], domain: Domain) -> Any:  # noqa: ANN401
    if isinstance(constant, tuple):
        return tuple(_typed(one, domain) for one in constant)
    if isinstance(domain, Categories) and domain.other is not None and domain.values != "found":
        return str(constant).lower() if isinstance(constant, bool) else str(constant)
    if isinstance(domain, Numbers):
        assert isinstance(constant, int | float)
        return float(constant)
    return _day(constant) if isinstance(domain, Dates) else constant


def _day(constant: Constant) -> dt.date | None:
    if isinstance(constant, dt.datetime):
        return None
    if isinstance(constant, dt.date):
        return constant
    try:
        return dt.date.fromisoformat(constant) if isinstance(constant, str) else None
    except ValueError:
        return None
