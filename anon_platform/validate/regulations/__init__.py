"""Regulation packs: each clause of a rule checked by itself on the bytes that leave."""

from anon_platform.validate.regulations.judging import Judged, judge, metrics_of

__all__ = ["Judged", "judge", "metrics_of"]
