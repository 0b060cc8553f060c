"""The report of a differentially private release."""

from anon_platform.publish.dp.report import write_dp_report

__all__ = ["write_dp_report"]
