"""What the report says of usefulness beyond the checks: columns, pairs, queries, information loss, the model and groups."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from anon_platform.publish.plots.utility import calibration_plot, small_bars
from anon_platform.publish.wording import DASH, Counts, decimal, listing, percent, plural, short

MOST_COLUMNS = 16
"""Columns of the table; the others moved less."""

MOST_FEATURES = 8

LOSSES = (
    ("loss", "Loss (ARX)", "(leaves a label covers − 1) / (all leaves − 1), Iyengar 2002"),
    ("ncp", "Certainty (NCP)", "share of the column that a label leaves open, Xu et al. 2006"),
    ("precision_lost", "Precision lost", "level over the height of the hierarchy, Sweeney 2002"),
    ("entropy", "Entropy lost", "non-uniform entropy, de Waal and Willenborg 1999"),
)

SCORES = (
    ("auc", "Area under the ROC curve", 3),
    ("average_precision", "Area under the precision-recall curve", 3),
    ("brier", "Brier score, lower is better", 4),
    ("accuracy", "Accuracy at a chance of 50 %", 3),
)


@dataclass(frozen=True)
class ColumnLine:
    """One column at its original detail."""

    name: str
    bars: str
    released: str
    original: str
    gap: str
    way: str
    shift: str


@dataclass(frozen=True)
class LearnerTable:
    """A learner's measures before and after, each with its interval."""

    name: str
    loss: str
    rows: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class GroupLine:
    """A group of people and what it loses."""

    name: str
    people: str
    areas: str
    excess: str
    recall: str
    false_alarms: str
    apart: bool
    """Whether the interval of the excess is above 0."""


@dataclass(frozen=True)
class UtilitySection:
    """Everything the template shows."""

    label: str
    columns: tuple[ColumnLine, ...]
    other_columns: str
    losses: tuple[tuple[str, tuple[str, ...]], ...]
    loss_names: tuple[tuple[str, str], ...]
    classes: str
    together: tuple[str, ...]
    queries: tuple[tuple[str, str, str], ...]
    learners: tuple[LearnerTable, ...]
    calibration: str
    calibration_words: str
    features: tuple[tuple[str, str, str], ...]
    feature_words: str
    groups: tuple[GroupLine, ...]
    group_words: str


def utility_section(
    manifest: Mapping[str, Any], assessment: Mapping[str, Any], counts: Counts
) -> UtilitySection | None:
    """The section, or None for a release that was measured without it."""
    found = assessment["detail"].get("utility")
    if found is None:
        return None
    label = "released" if manifest["passed"] else "treated"
    model = assessment["detail"].get("model")
    trained = model if isinstance(model, Mapping) and "learners" in model else None
    shown = sorted(
        (one for one in found["columns"] if one["original"]),
        key=lambda one: (-one["original"]["total_variation"], one["name"]),
    )
    loss = found["information_loss"]
    return UtilitySection(
        label,
        tuple(_column(one) for one in shown[:MOST_COLUMNS]),
        _others(shown),
        tuple((one["name"], tuple(_share(one[key]) for key, _, _ in LOSSES)) for one in loss["columns"])
        if loss
        else (),
        tuple((name, text) for _, name, text in LOSSES),
        _classes(loss) if loss else "",
        tuple(_together(found)),
        tuple(_queries(found.get("queries"), counts)),
        tuple(_learner(one) for one in trained["learners"]) if trained else (),
        _calibration(trained, label) if trained else "",
        _calibration_words(trained) if trained else "",
        tuple(_features(trained)) if trained else (),
        _feature_words(trained) if trained else "",
        tuple(_group(one, counts) for one in trained["fairness"]["groups"]) if trained else (),
        _group_words(trained, manifest["people"]["name"], counts) if trained else "",
    )


def _column(one: Mapping[str, Any]) -> ColumnLine:
    numbers, original = one["numbers"], one["original"]
    told = f"{short(one['name'])} before and after, {decimal(original['total_variation'])} apart"
    return ColumnLine(
        one["name"],
        small_bars(one["picture"], told) if one["picture"] else "",
        decimal(one["released"]["total_variation"]),
        f"{decimal(original['total_variation'])} / {decimal(original['jensen_shannon'])} / {decimal(original['hellinger'])}",
        decimal(numbers["kolmogorov_smirnov"]) if numbers else DASH,
        decimal(numbers["wasserstein"]) if numbers and numbers["wasserstein"] is not None else DASH,
        _shift(numbers) if numbers and numbers["mean_shift"] is not None else DASH,
    )


def _shift(numbers: Mapping[str, Any]) -> str:
    return f"{signed(numbers['mean_shift'])} / {signed(numbers['quantile_shift']['0.5'])} / {numbers['variance_ratio']:.2f}"


def signed(value: float, digits: int = 3) -> str:
    r"""A number with its sign, and nothing but 0 for what is next to it.

    >>> signed(0.0214), signed(-0.0001), signed(-0.5).replace("\N{MINUS SIGN}", "-")
    ('+0.021', '0', '-0.500')
    """
    if abs(value) < 10.0**-digits / 2:
        return "0"
    return f"{value:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _others(shown: list[dict[str, Any]]) -> str:
    rest = shown[MOST_COLUMNS:]
    if not rest:
        return ""
    return f"The other {len(rest)} columns moved at most {decimal(rest[0]['original']['total_variation'])}."


def _share(value: float | None) -> str:
    return DASH if value is None else percent(value)


def _classes(loss: Mapping[str, Any]) -> str:
    text = (
        f"Over all quasi-identifiers an average record loses {percent(loss['loss'])} (Loss) or"
        f" {percent(loss['gcp'])} (GCP, Ghinita et al. 2007); precision is {percent(loss['precision'])}."
        f" Discernibility (Bayardo and Agrawal 2005) is {loss['discernibility']:.2g} of its worst."
    )
    if loss["average_class"] is not None:
        text += f" Classes are on average {loss['average_class']:.1f} times as large as k demands (LeFevre et al. 2006)."
    return text


def _together(found: Mapping[str, Any]) -> Iterator[str]:
    pairs, marginals, told = (found.get(name) for name in ("pairs", "marginals", "propensity"))
    if pairs:
        worst = pairs["worst"][0]
        names = " and ".join(short(name) for name in worst["columns"])
        yield (
            f"Pairs: associations of {pairs['compared']:,} of {pairs['all']:,} pairs of columns (Pearson, correlation ratio,"
            f" Cramér’s V) changed by {decimal(pairs['mean'])} on average and {decimal(pairs['largest'])} at most, {names}"
            f" ({_association(worst['before'])} before, {_association(worst['after'])} after)."
        )
    if marginals:
        yield (
            f"Three columns together: NIST’s k-marginal score is {marginals['score']:.0f} of 1000, over"
            f" {marginals['drawn']:,} of {marginals['all']:,} combinations of {marginals['order']} columns."
        )
    if told:
        yield (
            f"Telling records apart: a logistic regression that tells original from released records has a pMSE of"
            f" {told['pmse']:.4f}, {told['ratio']:.1f} times what chance gives ({told['original'] + told['released']:,}"
            " people, one record each; labels put back at random into what they cover)."
        )


def _association(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f}"


def _queries(found: Mapping[str, Any] | None, counts: Counts) -> Iterator[tuple[str, str, str]]:
    """(name, relative errors, absolute errors) of the workload or each listed query, and those that have no answer."""
    if not found:
        return
    listed = found["listed"] or ({"generated workload": found["errors"]} if found["errors"] else {})
    for name, errors in listed.items():
        relative = f"{percent(errors['median_relative'])}, {percent(errors['high_relative'])}"
        absolute = (
            f"{_records(errors['median_absolute'], counts)}, {_records(errors['high_absolute'], counts)}"
        )
        yield f"{name} ({errors['queries']:,})", relative, absolute
    for name, fault in found["faults"].items():
        yield name, "no answer", str(fault)


def _records(n: float, counts: Counts) -> str:
    return counts.shown(round(n))


def _learner(one: Mapping[str, Any]) -> LearnerTable:
    rows = [
        (name, _measured(one["original"][key], digits), _measured(one["released"][key], digits))
        for key, name, digits in SCORES
    ]
    errors = [f"{one[side]['calibration']['error']:.4f}" for side in ("original", "released")]
    slopes = [_slope(one[side]["calibration"]) for side in ("original", "released")]
    low, high = one["interval"]
    return LearnerTable(
        one["learner"].replace("_", " ").capitalize(),
        f"{percent(one['loss'])} of its lift lost (95 % interval {percent(low)} to {percent(high)})",
        (*rows, ("Calibration error", *errors), ("Calibration slope and intercept", *slopes)),  # type: ignore[arg-type]
    )


def _measured(measure: Mapping[str, Any], digits: int) -> str:
    low, high = measure["interval"]
    return f"{measure['value']:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def _slope(calibration: Mapping[str, Any]) -> str:
    if calibration["slope"] is None:
        return DASH
    return f"{calibration['slope']:.2f}, {signed(calibration['intercept'], 2)}"


def _calibration(model: Mapping[str, Any], label: str) -> str:
    first = model["learners"][0]
    curves = [first[side]["calibration"]["curve"] for side in ("original", "released")]
    return calibration_plot(*curves, label=label) if all(curves) else ""


def _calibration_words(model: Mapping[str, Any]) -> str:
    first = model["learners"][0]
    return (
        f"Held-out people in tenths by the chance that {first['learner'].replace('_', ' ')} says. On the dotted line a"
        " chance of 20 % comes true one time in five; below it the model says too much."
    )


def _features(model: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, before, after in model["importance"]["features"][:MOST_FEATURES]:
        yield name, f"{max(before, 0):.4f}", f"{max(after, 0):.4f}"


def _feature_words(model: Mapping[str, Any]) -> str:
    found = model["importance"]
    text = f"{found['top']} of the {found['of']} features that the model leans on most are the same before and after"
    if found["spearman"] is not None:
        text += f"; the rank correlation over all {len(found['features'])} is {found['spearman']:.2f}"
    return f"{text}. Importance is what the area under the curve loses when a feature is exchanged among held-out rows."


def _group(one: Mapping[str, Any], counts: Counts) -> GroupLine:
    low, high = one["interval"]
    return GroupLine(
        f"{one['column']}: {one['name']}",
        counts.shown(one["people"]),
        f"{one['before']:.3f} \N{RIGHTWARDS ARROW} {one['after']:.3f}",
        f"{signed(one['excess'])} ({signed(low)} to {signed(high)})",
        _both(one["recall"]),
        _both(one["false_alarms"]),
        low > 0,
    )


def _both(pair: tuple[float, float]) -> str:
    return f"{percent(pair[0], 0)} \N{RIGHTWARDS ARROW} {percent(pair[1], 0)}"


def _group_words(model: Mapping[str, Any], unit: str, counts: Counts) -> str:
    found = model["fairness"]
    if not found["groups"] and not found["hidden"]:
        return ""
    apart = [f"{one['column']}: {one['name']}" for one in found["groups"] if one["interval"][0] > 0]
    text = (
        f"{listing(apart)} {'loses' if len(apart) == 1 else 'lose'} more than everybody by more than chance would show once."
        if apart
        else "No group loses more than everybody by more than chance would show."
    )
    if len(found["groups"]) > 1:
        text += f" Of {len(found['groups'])} groups about one in twenty stands out by chance alone."
    if few := sum(found["hidden"].values()):
        text += (
            f" {few} more {'group has' if few == 1 else 'groups have'} fewer than {max(counts.k, 11)} {plural(unit)} with or"
            " without the event and cannot be shown."
        )
    return text
