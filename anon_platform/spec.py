"""The base of every settings object: frozen, and unknown keys are refused."""

import ast
import datetime as dt
import inspect
import textwrap
from itertools import pairwise
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Spec(BaseModel):
    """Settings as a value: equal settings are equal, and nothing changes them after they were read."""

    # no use_attribute_docstrings: it reads the source of every class at every start; see `descriptions`
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _no_number(value: object) -> object:
    if isinstance(value, (int, float)):
        raise ValueError("write a day, such as 2026-03-01")  # noqa: TRY004 - pydantic tells ValueErrors
    return value


Day = Annotated[dt.date, BeforeValidator(_no_number), Field(strict=False)]
"""A day as YAML reads it, or as text; a number, which could be seconds of an epoch, is none."""


def descriptions(settings: type[Spec]) -> dict[str, str]:
    """The text below each field that has one, by name, in one line; those of the classes it is derived from too."""
    found: dict[str, str] = {}
    for base in reversed(settings.__mro__):
        if not issubclass(base, Spec) or base is Spec:
            continue
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(tree, ast.ClassDef)
        for field, text in pairwise(tree.body):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(text, ast.Expr)
                and isinstance(text.value, ast.Constant)
            ):
                found[field.target.id] = " ".join(str(text.value.value).split())
    return found
