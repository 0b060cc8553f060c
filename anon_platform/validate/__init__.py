"""The released bytes measured again: privacy, accounting, fidelity and the model, against the policy's thresholds."""

from anon_platform.validate.assessment import Assessment, assess
from anon_platform.validate.attacks.candidates import Compared
from anon_platform.validate.attacks.linkage import Held
from anon_platform.validate.differencing import Trace
from anon_platform.validate.earlier import released_trace
from anon_platform.validate.evidence import Content, Evidence, Recoded, Reviewed, Seen
from anon_platform.validate.files import Measured, measure_files
from anon_platform.validate.metric import Metric
from anon_platform.validate.privacy_models import file_metrics

__all__ = [
    "Assessment",
    "Compared",
    "Content",
    "Evidence",
    "Held",
    "Measured",
    "Metric",
    "Recoded",
    "Reviewed",
    "Seen",
    "Trace",
    "assess",
    "file_metrics",
    "measure_files",
    "released_trace",
]
