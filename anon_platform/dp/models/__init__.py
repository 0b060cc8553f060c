"""Differentially private models: additive ones, trained on noisy gradients, checked on people who were held out."""

from anon_platform.dp.models.card import card_of
from anon_platform.dp.models.form import model_faults, predict
from anon_platform.dp.models.onnx_form import onnx_of
from anon_platform.dp.models.settings import ModelRelease, Target
from anon_platform.dp.models.train import Trained, check, expected, train

__all__ = [
    "ModelRelease",
    "Target",
    "Trained",
    "card_of",
    "check",
    "expected",
    "model_faults",
    "onnx_of",
    "predict",
    "train",
]
