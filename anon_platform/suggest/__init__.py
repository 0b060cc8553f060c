"""A policy suggested from data alone: `anon suggest`."""

from anon_platform.suggest.suggestion import Suggestion, as_json, suggest, write

__all__ = ["Suggestion", "as_json", "suggest", "write"]
