"""The policy of a differentially private release: whose privacy, how much loss, what is measured."""

from anon_platform.policy.dp.loading import DPReading, dp_reading_of
from anon_platform.policy.dp.model import DPColumn, DPPolicy
from anon_platform.policy.dp.privacy_loss import Cap, Caps, PrivacyLoss

__all__ = ["Cap", "Caps", "DPColumn", "DPPolicy", "DPReading", "PrivacyLoss", "dp_reading_of"]
