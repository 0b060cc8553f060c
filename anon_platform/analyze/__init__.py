"""What a source holds before anything is done to it: a profile of its columns and the risk of its records."""

from anon_platform.analyze.profile import Analysis, ColumnProfile, analyze

__all__ = ["Analysis", "ColumnProfile", "analyze"]
