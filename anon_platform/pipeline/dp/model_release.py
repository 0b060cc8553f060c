"""A differentially private model in the pipeline."""

import json
import secrets
from pathlib import Path

import polars as pl

from anon_platform.dp.models import ModelRelease, expected, onnx_of, train
from anon_platform.dp.models.design import ONE
from anon_platform.dp.models.people import UNIT
from anon_platform.dp.noise import Noise
from anon_platform.pipeline.dp.measuring import Drawn, Expected, File
from anon_platform.pipeline.treatments import Progress
from anon_platform.policy import DPPolicy
from anon_platform.validate.dp.documents import CARD, MODEL, ONNX, card_text


def expected_model(policy: DPPolicy, settings: ModelRelease) -> tuple[Expected, ...]:
    """The noise on the sums that a model is made of, in people."""
    plan = expected(
        settings, policy.domains, policy.required, policy.privacy_loss.loss, _people_that_differ(policy)
    )
    found = [
        _line("counts", "people by bin of each feature", plan.sums.counts, UNIT),
        _line(
            "gradients",
            f"sums of residuals by bin of each feature, {plan.sums.rounds} times, each for the model so far",
            plan.sums.gradients,
            UNIT * ONE,
        ),
    ]
    if plan.counts is not None:
        what = f"people held out ({settings.held_out:.0%}) by score, with and without the target".replace(
            "%", " %"
        )
        found.append(_line("evaluation", what, plan.counts, UNIT))
    return tuple(found)


def _line(name: str, what: str, noise: Noise, person: int) -> Expected:
    kind = "Gaussian" if noise.measure == "zcdp" else "Laplace"
    return Expected("", name, what, kind, noise.deviation / person, noise.half_width() / person, None)


def _people_that_differ(policy: DPPolicy) -> int:
    stated = policy.privacy_loss
    return stated.rows_that_differ // stated.contribution


def draw_model(
    policy: DPPolicy,
    settings: ModelRelease,
    rows: pl.DataFrame,
    person: str,
    data: Path,
    progress: Progress,
) -> Drawn:
    """Trains the model and writes it with its card. rows: bounded. person: the column that tells people apart."""
    import numpy as np

    # says who is held out, which is not told: it must not repeat, and need not be kept
    rng = np.random.default_rng(secrets.randbits(128))
    made = train(
        rows,
        person,
        settings,
        policy.domains,
        policy.required,
        policy.privacy_loss.loss,
        _people_that_differ(policy),
        rng,
        lambda share: progress("training", round(100 * share), 100),
    )
    (data / MODEL).write_text(json.dumps(made.form, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (data / ONNX).write_bytes(onnx_of(made.form))
    (data / CARD).write_text(card_text(policy, made.form), encoding="utf-8")
    fit = {}
    if made.evaluation is not None and made.evaluation.auc is not None:
        fit = dict(zip(("auc", "auc_low", "auc_high"), made.evaluation.auc, strict=True))
    what = f"the model: a score for each bin or category of {len(settings.features)} features"
    return Drawn(
        made.spent,
        (
            File(MODEL, (), 0, what, "model"),
            File(ONNX, (), 0, "the same for runtimes of ONNX", "onnx"),
            File(CARD, (), 0, "what the model is for, and how good it is", "card"),
        ),
        expected_model(policy, settings),
        fit,
    )
