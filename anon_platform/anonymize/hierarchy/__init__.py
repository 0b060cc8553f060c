"""Generalization hierarchies: from a value to ever coarser labels, up to `*`."""

from typing import Annotated

from pydantic import Field

from anon_platform.anonymize.hierarchy.csv import CsvHierarchy
from anon_platform.anonymize.hierarchy.dates import Dates
from anon_platform.anonymize.hierarchy.flat import Flat
from anon_platform.anonymize.hierarchy.groups import Groups
from anon_platform.anonymize.hierarchy.icd9 import Icd9
from anon_platform.anonymize.hierarchy.icd10 import Icd10
from anon_platform.anonymize.hierarchy.inferred import Choice, Inferred
from anon_platform.anonymize.hierarchy.intervals import Intervals, Optimal
from anon_platform.anonymize.hierarchy.levels import (
    SUPPRESSED,
    Ladder,
    LevelLabels,
    ladder,
    needs_counts,
    resolved,
)
from anon_platform.anonymize.hierarchy.prefix import Prefix
from anon_platform.anonymize.hierarchy.zip import Zip

HIERARCHIES = (Intervals, Dates, Zip, Icd9, Icd10, Prefix, Groups, CsvHierarchy, Flat, Inferred)

Hierarchy = Annotated[
    Intervals | Dates | Zip | Icd9 | Icd10 | Prefix | Groups | CsvHierarchy | Flat | Inferred,
    Field(discriminator="kind"),
]

__all__ = [  # noqa: RUF022 - plain order, in which Icd10 comes before Icd9
    "HIERARCHIES",
    "SUPPRESSED",
    "Choice",
    "CsvHierarchy",
    "Dates",
    "Flat",
    "Groups",
    "Hierarchy",
    "Icd10",
    "Icd9",
    "Inferred",
    "Intervals",
    "Ladder",
    "LevelLabels",
    "Optimal",
    "Prefix",
    "Zip",
    "ladder",
    "needs_counts",
    "resolved",
]
