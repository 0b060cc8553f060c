"""How good a differentially private release must be. All of it is known from noise and noisy counts, and costs nothing."""

from pydantic import Field

from anon_platform.spec import Spec


class DPThresholds(Spec):
    """Limits that refuse a release, beside the privacy loss, which is a limit always."""

    half_width: dict[str, float] = Field(default_factory=dict)
    """By the name of a statistic, half of its 95 % interval at most, in the statistic's unit; known before anything is spent."""
    marginal_error: float | None = Field(default=None, gt=0, le=1)
    """Of a synthetic table: total variation distance, on average, between its marginals and the noisy ones that were measured, at most."""
    area_under_curve: float | None = Field(default=None, gt=0, le=1)
    """Of a model: the area under its curve on people held out, as its noisy evaluation says, at least."""
