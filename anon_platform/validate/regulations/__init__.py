"""Regulation packs: each clause of a rule checked by itself, on the bytes that leave and on what was measured of them."""

from anon_platform.validate.regulations.judging import Judged, judge, metrics_of
from anon_platform.validate.regulations.measured import Measured

__all__ = ["Judged", "Measured", "judge", "metrics_of"]
