"""Differentially private synthetic tables: noisy marginals, a model that fits them, rows drawn from it."""

from anon_platform.dp.synthetic.settings import AtMost, Constraint, Implies, Synthesis
from anon_platform.dp.synthetic.synthesis import Expectation, Synthetic, check, expected, synthesize

__all__ = [
    "AtMost",
    "Constraint",
    "Expectation",
    "Implies",
    "Synthesis",
    "Synthetic",
    "check",
    "expected",
    "synthesize",
]
