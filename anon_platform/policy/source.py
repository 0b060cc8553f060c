"""Files that a policy names."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, PrivateAttr, ValidationInfo, model_validator

from anon_platform.spec import Spec


class Source(Spec):
    """Where the identified data lies."""

    format: Literal["csv", "parquet"]
    path: str = Field(min_length=1)
    """A file, a folder or a glob, from the policy's folder."""
    separator: str = Field(default=",", pattern=r'^[^"\r\n\x00]$')
    """CSV only: the character between fields."""
    missing_values: tuple[str, ...] = ("",)
    """Texts that mean "no value", such as "?" or "NA"."""

    _folder: Path = PrivateAttr(default=Path())

    @model_validator(mode="after")
    def _remember_folder(self, info: ValidationInfo) -> Self:
        self._folder = Path((info.context or {}).get("folder", "."))
        return self

    @property
    def folder(self) -> Path:
        """The policy's folder."""
        return self._folder

    @property
    def location(self) -> Path:
        """The path, made absolute from the policy's folder."""
        return self._folder / self.path


class Population(Source):
    """Everybody whom an attacker may take the target for, one row a person, such as a voter register."""

    columns: dict[str, str] = Field(min_length=1)
    """For every quasi-identifier that leaves, the column of the population that holds it."""
