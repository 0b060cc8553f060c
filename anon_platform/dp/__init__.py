"""Differential privacy: privacy loss, noise, statistics, synthetic tables, models; noise and its proofs are OpenDP's."""

from anon_platform.dp.loss import Loss, Measure, epsilon_of, loss_of

__all__ = ["Loss", "Measure", "epsilon_of", "loss_of"]
