"""The released bytes measured again: privacy, accounting, fidelity and the model, against the policy's thresholds."""

from anon_platform.validate.assessment import Assessment, Metric, assess
from anon_platform.validate.evidence import Evidence
from anon_platform.validate.files import Measured, measure_files

__all__ = ["Assessment", "Evidence", "Measured", "Metric", "assess", "measure_files"]
