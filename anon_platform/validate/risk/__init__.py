"""Re-identification risk beside that of the classes: population, longitudinal, several attackers, two meanings of `*`."""

from anon_platform.validate.risk.measure import measure_risk, risk_metrics
from anon_platform.validate.risk.picture import RiskPicture

__all__ = ["RiskPicture", "measure_risk", "risk_metrics"]
