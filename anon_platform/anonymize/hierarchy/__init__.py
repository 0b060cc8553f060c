"""Generalization hierarchies: from a value to ever coarser labels, up to `*`."""

from typing import Annotated

from pydantic import Field

from anon_platform.anonymize.hierarchy.csv import CsvHierarchy
from anon_platform.anonymize.hierarchy.dates import Dates
from anon_platform.anonymize.hierarchy.flat import Flat
from anon_platform.anonymize.hierarchy.icd9 import Icd9
from anon_platform.anonymize.hierarchy.intervals import Intervals
from anon_platform.anonymize.hierarchy.levels import SUPPRESSED, Ladder, ladder
from anon_platform.anonymize.hierarchy.zip import Zip

HIERARCHIES = (Intervals, Dates, Zip, Icd9, CsvHierarchy, Flat)

Hierarchy = Annotated[Intervals | Dates | Zip | Icd9 | CsvHierarchy | Flat, Field(discriminator="kind")]

__all__ = [
    "HIERARCHIES",
    "SUPPRESSED",
    "CsvHierarchy",
    "Dates",
    "Flat",
    "Hierarchy",
    "Icd9",
    "Intervals",
    "Ladder",
    "Zip",
    "ladder",
]
