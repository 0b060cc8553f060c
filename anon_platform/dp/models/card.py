"""The card that goes with a model: what it is for, what it promises, how good it is; nothing that its file does not say."""

from collections.abc import Mapping
from typing import Any

LEARNERS = {
    "ebm": "explainable boosting machine without pairs: a score for each bin of a feature, all added up",
    "logistic_regression": "logistic regression: a coefficient for a column of numbers or dates, by the number of its bin, and one for each category",
}


def card_of(model: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    """The card as Markdown. told: of the release `title`, `owner`, `recipient`, `purpose`, `epsilon`, `delta`, `unit`, `neighbours`, `contribution`."""
    target, unit = model["target"], told["unit"]
    positive = " or ".join(f"`{value}`" for value in target["positive"])
    lines = [
        f"# {told['title']}",
        "",
        f"Predicts how likely `{target['column']}` is {positive}. {LEARNERS[model['learner']].capitalize()}.",
        "",
        "| | |",
        "|---|---|",
        f"| owner | {told['owner']} |",
        f"| given to | {told['recipient']} |",
        f"| intended use | {told['purpose']} |",
        f'| files | `model.json`: format “{model["format"]}”, version {model["version"]}; `model.onnx`: the same as ONNX, categories as text, dates as days since 1970, missing values "" or NaN |',
        "",
        "## Privacy",
        "",
        *_privacy(model, told),
        "",
        "## Quality",
        "",
        *_quality(model, unit),
        "",
        "## Features",
        "",
        "Bins and categories are the policy’s, from public knowledge.",
        "",
        "| column | kind | values | missing |",
        "|---|---|---|---|",
        *[_feature(feature) for feature in model["features"]],
        "",
        "## Limits",
        "",
        "- Scores carry noise: those of rare bins or categories may say nothing, or the contrary.",
        "- Features are weighed one by one; what two of them say together only is not in the model.",
        f"- Every {unit} counted once, however many rows there were; a probability is that of an average {unit}’s row.",
        "- It says what went together in the data, not what causes what, and holds for people like those it was trained on. Check it for the groups it will be used on before anybody is treated by it.",
        "",
    ]
    return "\n".join(lines)


def _privacy(model: Mapping[str, Any], told: Mapping[str, Any]) -> list[str]:
    unit, training = told["unit"], model["training"]
    neighbours = (
        f"one {unit} more or less"
        if told["neighbours"] == "add_or_remove_person"
        else f"one {unit}’s rows changed"
    )
    promise = (
        f"Differentially private for each {unit}: ε = {told['epsilon']:.6g} at δ = {told['delta']:g}, between tables with {neighbours};"
        f" of a {unit} up to {told['contribution']} rows were looked at."
    )
    how = (
        f"Every number was computed from sums with {training['noise']} noise: counts of the bins once, then {training['rounds']} gradients,"
        f" each moved by a {unit} by {training['clip']:g} at most."
    )
    return [promise, how]


def _quality(model: Mapping[str, Any], unit: str) -> list[str]:
    found = model["evaluation"]
    if found is None:
        return ["Not measured: to measure it on the data would tell of them."]
    share = f"{model['training']['held_out']:.0%}".replace("%", " %")
    how = f"{share} of the {unit}s, drawn at random, had no part in the training and were counted by score, with noise of deviation {found['noise_deviation']:g} on each count."
    if found["auc"] is None:
        return [f"{how} They were too few to tell its quality from noise."]
    return [
        f"Area under the curve {found['auc']:.3f} (95 % interval {found['low']:.3f} to {found['high']:.3f}, for noise and for who was drawn). {how}"
    ]


def _feature(feature: Mapping[str, Any]) -> str:
    missing = "counts as the first" if feature["missing"] is None else "has a score"
    if feature["kind"] == "categories":
        values = ", ".join(f"`{value}`".replace("|", "\\|") for value in feature["values"])
        values += f", others as `{feature['other']}`" if feature["other"] is not None else ""
    else:
        values = f"{feature['from'][0]} to {feature['to']}, {len(feature['from'])} bins"
    return f"| `{feature['column']}` | {feature['kind']} | {values} | {missing} |"
