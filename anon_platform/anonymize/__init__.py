"""De-identification: one file a technique; a technique is its settings plus `fit`."""

from typing import Annotated

from pydantic import Field

from anon_platform.anonymize.deidentify_text import DeidentifyText
from anon_platform.anonymize.encrypt import Encrypt, EncryptFormat
from anon_platform.anonymize.generalize import Generalize
from anon_platform.anonymize.mask import Mask
from anon_platform.anonymize.microaggregate import Microaggregate
from anon_platform.anonymize.noise import Noise
from anon_platform.anonymize.pram import Pram
from anon_platform.anonymize.pseudonymize import Pseudonymize
from anon_platform.anonymize.rank_swap import RankSwap
from anon_platform.anonymize.round import Round
from anon_platform.anonymize.shift_dates import Shift, ShiftDates
from anon_platform.anonymize.suppress import Suppress
from anon_platform.anonymize.surrogate import Surrogate
from anon_platform.anonymize.technique import (
    OfCounts,
    OfPeople,
    OfRecords,
    OfRows,
    Treat,
    TreatPeople,
    TreatRecords,
    TreatRows,
    WholeColumn,
)
from anon_platform.anonymize.tokenize import Tokenize
from anon_platform.anonymize.top_bottom_code import TopBottomCode

TECHNIQUES = (
    Suppress, Pseudonymize, Tokenize, Encrypt, EncryptFormat, Surrogate, Mask, Generalize, TopBottomCode, Round,
    ShiftDates, Microaggregate, RankSwap, Pram, Noise, DeidentifyText,
)  # fmt: skip

Reversible = Annotated[Tokenize | Encrypt | EncryptFormat, Field(discriminator="technique")]
"""A technique whose codes the key undoes."""

KEYED = (Pseudonymize, Tokenize, Encrypt, EncryptFormat)
"""Techniques that leave codes, by which a person's rows can be linked."""

Technique = Annotated[
    Suppress
    | Pseudonymize
    | Tokenize
    | Encrypt
    | EncryptFormat
    | Surrogate
    | Mask
    | Generalize
    | TopBottomCode
    | Round
    | ShiftDates
    | Microaggregate
    | RankSwap
    | Pram
    | Noise
    | DeidentifyText,
    Field(discriminator="technique"),
]

__all__ = [
    "KEYED",
    "TECHNIQUES",
    "DeidentifyText",
    "Encrypt",
    "EncryptFormat",
    "Generalize",
    "Mask",
    "Microaggregate",
    "Noise",
    "OfCounts",
    "OfPeople",
    "OfRecords",
    "OfRows",
    "Pram",
    "Pseudonymize",
    "RankSwap",
    "Reversible",
    "Round",
    "Shift",
    "ShiftDates",
    "Suppress",
    "Surrogate",
    "Technique",
    "Tokenize",
    "TopBottomCode",
    "Treat",
    "TreatPeople",
    "TreatRecords",
    "TreatRows",
    "WholeColumn",
]
