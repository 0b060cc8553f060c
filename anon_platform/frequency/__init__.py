"""Frequency tables and what they promise: every privacy model, defined once, measured on counts."""

from anon_platform.frequency.cells import Cells, cells_of
from anon_platform.frequency.classes import Risk, class_size_histogram, classes, k_of, l_of, risk_of, t_of
from anon_platform.frequency.days import by_day
from anon_platform.frequency.linked import SEQUENCE, sequence_classes
from anon_platform.frequency.models import (
    CLASS_MODELS,
    BetaLikeness,
    ClassModel,
    ColumnModel,
    DeltaDisclosure,
    DistinctL,
    EntropyL,
    HierarchicalBound,
    OrderedTCloseness,
    RecursiveL,
    TCloseness,
)
from anon_platform.frequency.population import (
    beside_population,
    mean_risk,
    people_for_k_map,
    people_for_risk,
    presence,
    unique_share,
)

__all__ = [
    "CLASS_MODELS",
    "SEQUENCE",
    "BetaLikeness",
    "Cells",
    "ClassModel",
    "ColumnModel",
    "DeltaDisclosure",
    "DistinctL",
    "EntropyL",
    "HierarchicalBound",
    "OrderedTCloseness",
    "RecursiveL",
    "Risk",
    "TCloseness",
    "beside_population",
    "by_day",
    "cells_of",
    "class_size_histogram",
    "classes",
    "k_of",
    "l_of",
    "mean_risk",
    "people_for_k_map",
    "people_for_risk",
    "presence",
    "risk_of",
    "sequence_classes",
    "t_of",
    "unique_share",
]
