"""The stages of a differentially private release: reserve, bound, measure, check, publish."""

from anon_platform.pipeline.dp.account import Fits, fits_budget
from anon_platform.pipeline.dp.plan import DPPlan

__all__ = ["DPPlan", "Fits", "fits_budget"]
