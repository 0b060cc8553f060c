"""Groups of values: neighbours in an order, or groups that the policy names."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from anon_platform.anonymize.hierarchy.gaps import require_named
from anon_platform.anonymize.technique import text_fault
from anon_platform.errors import PolicyError
from anon_platform.spec import Spec

if TYPE_CHECKING:  # imported where it is used: policies are read by programs that never count
    import polars as pl

Size = Annotated[int, Field(ge=1)]
Names = tuple[str, ...]


class Groups(Spec):
    """Values joined into groups: `sizes` joins so many neighbours in an order, `named` lists the groups."""

    kind: Literal["groups"]
    order: Names = ()
    """All values, in the order in which neighbours are joined."""
    ascending: Literal[True] | None = None
    """Written instead of `order`: the numbers of the column in ascending order."""
    sizes: tuple[Size, ...] = ()
    """Neighbours in a group, ascending, each a multiple of the one before, such as [2, 4, 8]."""
    named: tuple[dict[str, Names], ...] = ()
    """Groups by name with their values, finest level first; a coarser level lists names of the level before."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        ways = [bool(self.order), self.ascending is not None, bool(self.named)]
        if ways.count(True) != 1 or bool(self.sizes) == bool(self.named):
            raise ValueError(
                "say which groups: order: [low, middle, high] and sizes: [2], ascending: true and sizes: [2],"
                " or named: [{north: [IL, WI], south: [TX]}]"
            )
        for small, large in zip(self.sizes, self.sizes[1:], strict=False):
            if large <= small or large % small:
                raise ValueError("sizes must ascend, each a multiple of the one before, such as [2, 4, 8]")
        if not self.ascending:
            _require_once(self.order or _members(self.named[0]))
            _require_own_names(self.order, self.sizes)
        for finer, coarser in zip(self.named, self.named[1:], strict=False):
            if sorted(_members(coarser)) != sorted(finer):
                raise ValueError("a coarser level of named lists every group of the level before, once")
        return self

    @property
    def level_names(self) -> tuple[str, ...]:
        """`groups of 2` … or `level 1` …."""
        if self.named:
            return tuple(f"level {i + 1}" for i in range(len(self.named)))
        return tuple(f"groups of {size}" for size in self.sizes)

    def fault(self, dtype: "pl.DataType") -> str | None:
        """Values are compared as text; an ascending order needs numbers."""
        if self.ascending and not dtype.is_numeric():
            return "ascending needs a numeric column; declare type: integer or number, or list the order"
        return text_fault(dtype)

    @property
    def needs_counts(self) -> bool:
        """Whether the order is that of the data."""
        return self.ascending is not None

    def fitted(self, values: "pl.Series", counts: "pl.Series") -> "Groups":
        """The same groups with the order of these values written out; an order that is listed stays."""
        import polars as pl

        del counts
        if not self.ascending:
            return self
        known = values.fill_nan(None) if values.dtype.is_float() else values
        order = known.drop_nulls().unique().sort().cast(pl.String).unique(maintain_order=True)
        return self.model_copy(update={"order": tuple(order), "ascending": None})

    def leaves(self) -> "pl.Series | None":
        """All values that the policy lists; None where the order is that of the data."""
        import polars as pl

        if self.ascending:
            return None
        return pl.Series("leaf", list(self._tables()[0]), dtype=pl.String)

    def labels(self, values: "pl.Series") -> "list[pl.Series]":
        """`low to high` or the group's name; NaN counts as null, an unlisted value raises `HierarchyGapError`."""
        import polars as pl

        if self.ascending:
            raise PolicyError(
                "groups in ascending order are known when the column was counted; fit them first"
            )
        known = values.fill_nan(None) if values.dtype.is_float() else values
        text = known.cast(pl.String)
        tables = self._tables()
        require_named(text, set(tables[0]), "the policy's list of groups")
        return [text.replace_strict(table, return_dtype=pl.String) for table in tables]

    def _tables(self) -> list[dict[str, str]]:
        """For each level the label of every value."""
        if not self.named:
            return [_neighbours(self.order, size) for size in self.sizes]
        tables: list[dict[str, str]] = []
        for level in self.named:
            group_of = {member: name for name, members in level.items() for member in members}
            finer = tables[-1] if tables else {member: member for member in group_of}
            tables.append({value: group_of.get(label, "") for value, label in finer.items()})
        return tables


def _members(level: Mapping[str, Names]) -> Names:
    return tuple(member for members in level.values() for member in members)


def _neighbours(order: Names, size: int) -> dict[str, str]:
    """Groups of `size` neighbours, named by their first and last value."""
    found = {}
    for start in range(0, len(order), size):
        group = order[start : start + size]
        label = group[0] if len(group) == 1 else f"{group[0]} to {group[-1]}"
        found.update(dict.fromkeys(group, label))
    return found


def _require_once(values: Names) -> None:
    if len(set(values)) != len(values):
        raise ValueError("a value stands in the groups twice; name it once")


def _require_own_names(order: Names, sizes: tuple[int, ...]) -> None:
    for size in sizes:
        if len(set(_neighbours(order, size).values())) != -(-len(order) // size):
            raise ValueError("two groups would have the same name; rename a value that holds ` to `")
