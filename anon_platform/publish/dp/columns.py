"""The columns of a differentially private policy: role, and what it says of them in public."""

from collections.abc import Mapping
from typing import Any

from anon_platform.publish.wording import listing

SHOWN = 8
"""Categories that are listed; of more the number is told."""


def column_rows(manifest: Mapping[str, Any]) -> list[dict[str, str]]:
    """Name, role, type and domain of every column of the source."""
    types = {column["name"]: column["type"] for column in manifest["plan"]["columns"]}
    return [
        {
            "name": name,
            "role": column["role"].replace("_", " "),
            "type": types[name],
            "domain": in_words(column["domain"]),
            "read": "" if column["domain"] is None else "yes",
        }
        for name, column in manifest["policy"]["columns"].items()
    ]


def in_words(domain: Mapping[str, Any] | None) -> str:
    """A domain as the policy says it."""
    if domain is None:
        return "not read"
    if domain["kind"] == "categories":
        if domain["values"] == "found":
            return "categories found with noise"
        values = [str(value) for value in domain["values"]]
        named = listing(values, SHOWN) if len(values) <= SHOWN else f"{len(values)} categories"
        return named + (f", others as {domain['other']}" if domain.get("other") else "")
    low, high = domain["bounds"]
    if domain["kind"] == "dates":
        return f"{low} to {high}, by {domain['every']}"
    bins = domain["bins"]
    how = (
        "bins found with noise"
        if bins == "found"
        else f"{bins if isinstance(bins, int) else len(bins) + 1} bins"
    )
    return f"{low:g} to {high:g}, {how}"
