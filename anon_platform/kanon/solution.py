"""The solution file: what new rows are generalized by, as small JSON, tied to the content of its hierarchy files."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import polars as pl
from pydantic import Field, ValidationError

from anon_platform.anonymize.hierarchy import CsvHierarchy
from anon_platform.anonymize.hierarchy.levels import SUPPRESSED
from anon_platform.errors import PolicyError, StorageError
from anon_platform.kanon.hierarchy_files import HierarchyFile
from anon_platform.kanon.request import Model
from anon_platform.spec import Spec


class Solution(Spec):
    """What was found, without a count of the original data.

    hierarchies: sha256 of each quasi-identifier's file. found: levels and the classes that may leave, as labels; of local
    recoding what it wrote itself.
    """

    version: Literal[1] = 1
    model: Model
    k: int = Field(ge=1)
    loss: float
    quasi_identifiers: tuple[str, ...] = Field(min_length=1, strict=False)
    sensitive: tuple[str, ...] = Field(default=(), strict=False)
    hierarchies: dict[str, str]
    found: dict[str, Any]

    def require_same(self, files: Mapping[str, HierarchyFile]) -> None:
        """Refuses hierarchies that are not what they were."""
        if changed := [
            files[name].name
            for name in self.quasi_identifiers
            if files[name].sha256 != self.hierarchies.get(name)
        ]:
            raise PolicyError(
                f"{', '.join(changed)} changed since the solution was made; search again, or give the files of then"
            )

    def release(self, texts: pl.DataFrame, kinds: Mapping[str, CsvHierarchy]) -> pl.DataFrame:
        """The labels of combinations that the hierarchies name, and `kept`: whether their class is one that left."""
        try:
            if self.model == "full":
                return _released(texts, kinds, self.found["levels"], self.found["classes"])
            from anon_platform.anonymize.local import applied

            return applied(self.found, kinds).release(texts)
        except (KeyError, ValueError, TypeError, IndexError, pl.exceptions.PolarsError):
            pass
        # not above: what was raised there could quote labels, and would ride along as context
        raise PolicyError("the solution is damaged; search again")


def _released(
    texts: pl.DataFrame,
    kinds: Mapping[str, CsvHierarchy],
    levels: Mapping[str, str],
    classes: Sequence[Sequence[str | None]],
) -> pl.DataFrame:
    """As the full-domain search left them; a class that may not leave is `*`."""
    names = texts.columns
    labels = pl.DataFrame([_at(texts[name], kinds[name], levels[name]) for name in names])
    left = pl.DataFrame(classes, schema=dict.fromkeys(names, pl.String), orient="row").with_columns(
        kept=pl.lit(value=True)
    )
    found = labels.join(left, on=names, how="left", nulls_equal=True, maintain_order="left")
    kept = found["kept"].fill_null(value=False)
    return labels.with_columns(pl.when(kept).then(pl.col(names)).otherwise(pl.lit(SUPPRESSED)), kept=kept)


def _at(values: pl.Series, kind: CsvHierarchy, level: str) -> pl.Series:
    if level == SUPPRESSED:
        return pl.Series(values.name, [SUPPRESSED], dtype=pl.String).new_from_index(0, len(values))
    return kind.labels(values)[kind.level_names.index(level)].alias(values.name)


def save(solution: Solution, path: Path) -> None:
    """Writes the file, in one step."""
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.write_text(json.dumps(solution.model_dump(mode="json")) + "\n", encoding="utf-8")
        draft.replace(path)
    except OSError as fault:
        raise StorageError(f"cannot write {path.name}: {fault.strerror}") from None


def load(path: Path) -> Solution:
    """Reads the file; one that is no solution raises `PolicyError`."""
    try:
        return Solution.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as fault:
        raise PolicyError(f"cannot read {path.name}: {fault.strerror}") from None
    except (ValidationError, ValueError):
        raise PolicyError(
            f"{path.name} is no solution of this version; make one with: anon kanon … --solution FILE"
        ) from None
