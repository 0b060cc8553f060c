"""Local recoding: groups of combinations, each generalized just as far as it needs."""

from anon_platform.anonymize.local.applied import Applied, applied
from anon_platform.anonymize.local.labels import Output
from anon_platform.anonymize.local.recode import Effort, Mondrian, recode
from anon_platform.anonymize.local.recoded import Recoded

__all__ = ["Applied", "Effort", "Mondrian", "Output", "Recoded", "applied", "recode"]
