"""De-identification: one file a technique; a technique is its settings plus `fit`."""

from typing import Annotated

from pydantic import Field

from anon_platform.anonymize.generalize import Generalize
from anon_platform.anonymize.mask import Mask
from anon_platform.anonymize.pseudonymize import Pseudonymize
from anon_platform.anonymize.suppress import Suppress
from anon_platform.anonymize.technique import Treat
from anon_platform.anonymize.top_bottom_code import TopBottomCode

TECHNIQUES = (Suppress, Pseudonymize, Mask, Generalize, TopBottomCode)

Technique = Annotated[
    Suppress | Pseudonymize | Mask | Generalize | TopBottomCode, Field(discriminator="technique")
]

__all__ = [
    "TECHNIQUES",
    "Generalize",
    "Mask",
    "Pseudonymize",
    "Suppress",
    "Technique",
    "TopBottomCode",
    "Treat",
]
