"""The base of every settings object: frozen, and unknown keys are refused."""

from pydantic import BaseModel, ConfigDict


class Spec(BaseModel):
    """Settings as a value: equal settings are equal, and nothing changes them after they were read."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)
