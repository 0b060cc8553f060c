"""The model the data is for, before and after."""

from anon_platform.validate.prediction.measure import ModelLoss, measure_model
from anon_platform.validate.prediction.metrics import model_metrics

__all__ = ["ModelLoss", "measure_model", "model_metrics"]
