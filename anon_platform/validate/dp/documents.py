"""A released model and its card: only scores, and what the policy says in public."""

import json
from pathlib import Path
from typing import Any

from anon_platform.dp import Loss, epsilon_of
from anon_platform.dp.models import card_of, model_faults, onnx_of
from anon_platform.policy import DPPolicy

MODEL = "model.json"
CARD = "model_card.md"
ONNX = "model.onnx"


def card_text(policy: DPPolicy, model: dict[str, Any]) -> str:
    """The card of a model, from its file and the policy alone."""
    stated, told = policy.privacy_loss, model["privacy"]
    return card_of(
        model,
        {
            "title": policy.title,
            "owner": policy.owner,
            "recipient": policy.publish.recipient,
            "purpose": policy.publish.purpose,
            "epsilon": epsilon_of(Loss(told["measure"], told["units"]), stated.delta),
            "delta": stated.delta,
            "unit": policy.privacy_unit.name,
            "neighbours": stated.neighbours,
            "contribution": stated.contribution,
        },
    )


def document_faults(data: Path, policy: DPPolicy) -> list[str]:
    """What a model's file says that neither is a score nor stands in the policy, and whether its card or its ONNX form say anything else."""
    if policy.trained_model is None:
        return []
    if not (data / MODEL).is_file():
        return []
    try:
        model = json.loads((data / MODEL).read_text(encoding="utf-8"))
    except ValueError:
        return [f"{MODEL} cannot be read"]
    faults = model_faults(model, policy.trained_model, policy.domains, policy.required)
    if faults:
        return [f"{MODEL}: {fault}" for fault in faults]
    # both are written from the model alone, and so can hold nothing else
    alike = {CARD: card_text(policy, model).encode(), ONNX: onnx_of(model)}
    return [
        f"{name} says something else than {MODEL}"
        for name, content in alike.items()
        if (data / name).is_file() and (data / name).read_bytes() != content
    ]
