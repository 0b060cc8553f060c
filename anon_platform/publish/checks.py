"""Every measure beside its threshold, in words a reader without statistics understands."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from anon_platform.publish.wording import (
    DASH,
    Counts,
    decimal,
    digits_apart,
    percent,
    plural,
    whole,
)

CHECKS = {
    "k_anonymity": "k-anonymity",
    "l_diversity": "l-diversity and t-closeness",
    "reidentification_risk": "Re-identification risk",
    "differencing": "Earlier releases to the same recipient",
    "text_deidentification": "Identifiers in free text",
    "text_review": "Review of notes by people",
    "row_accounting": "Row accounting",
    "referential_integrity": "References between tables",
    "statistical_fidelity": "Statistical fidelity",
    "information_loss": "Information loss",
    "query_accuracy": "Query accuracy",
    "model_utility": "Model utility",
    "linkage": "Attack: linkage with an external file",
    "singling_out": "Attack: singling out",
    "linkability": "Attack: linkability",
    "inference": "Attack: inference",
    "membership": "Attack: membership in training",
    "privacy_loss": "Privacy loss of this release",
    "privacy_budget": "Privacy budget",
    "public_domains": "Public domains",
    "file_accounting": "Files",
    "constraints": "Constraints",
    "expected_error": "Noise",
    "model_quality": "Quality of the model",
}
"""Checks in the order of the report; one that is not here comes last, by its name."""

MEANINGS = {
    "singling out": "Share of the predicates drawn from the release that are true of one {person} only",
    "linkability": "Share of {people} of whom two parts of a record are found to belong together",
    "membership attack on the model": "How well a model trained on the release tells who was in training",
    "k": "The fewest {people} who share one combination of quasi-identifiers",
    "area under the curve": "How often the model ranks a {person} with the target above one without, by noisy counts of {people} held out",
    "maximum risk": "Chance to pick the right {person}, for the {person} most at risk",
    "mean risk": "Chance to pick the right {person}, average over all records",
    "sample uniques": "Share of records whose combination belongs to one {person} only",
    "reviewed recall": "Share of the identifiers in notes that are found, at least, by people who looked at a sample",
    "journalist risk": "Chance to pick the right {person} of the population, for the {person} most at risk",
    "marketer risk": "Share of {people} picked rightly by whoever picks one of the population for each",
    "population uniques": "Share of the population that is alone with its combination",
    "unique by known events": "Share of {people} who are alone with the rows that an attacker knows",
    "suppressed records": "Share of records left out so that the others meet the thresholds",
    "largest column distance": "How far the column that moved most moved, from 0 to 1",
    "largest column distance at original detail": "The same, with labels spread over what they cover",
    "mean pair difference": "How far associations of two columns changed, on average over all pairs",
    "k-marginal score": "NIST’s score of three columns together: 1000 when nothing changed",
    "pMSE ratio": "How much better released records are told from original ones than by chance",
    "information loss": "What an average record loses of its quasi-identifiers, 0 to 100 %",
    "certainty lost": "The same by how much of a column a label leaves open",
    "precision lost": "The same by how high a label stands in its hierarchy",
    "median query error": "Relative error of counts and averages that analysts would ask, of half of them at most",
    "95th percentile of query errors": "The same, of nineteen out of twenty",
    "model loss": "Share of the model’s lift over chance that is lost",
    "model loss of logistic regression": "The same for a simpler model",
    "model loss of gradient boosting": "The same for a more flexible model",
    "calibration error": "How far the chances of the model trained on released rows are from what happened",
    "largest group loss": "What one group’s model loses beyond what everybody’s does, in area under the curve",
    "k-map": "The fewest people of the population who share one combination, or how many of the data stand for them",
    "lowest presence": "Chance that somebody of the population is in the data, for whoever it is lowest",
    "highest presence": "Chance that somebody of the population is in the data, for whoever it is highest",
    "k across releases": "The fewest {people} whom somebody who has this release and an earlier one can tell from all others",
    "earlier releases to this recipient": "Releases of this dataset that the recipient has already; those withdrawn are not counted",
    "k of all tables together": "The fewest {people} who share the same rows of quasi-identifiers in all tables",
    "maximum risk of all tables together": "Chance that whoever joins all tables picks the right {person}",
    "ε of this release": "What the mechanisms are proved to lose, at the δ of this release",
    "δ of this release": "Chance that ε does not hold; at most one in so many people as there are",
    "units spent beyond what was granted": "Privacy loss in the smallest units that are counted, beyond the reservation",
    "ε of all releases, to all recipients": "Everything that was ever released about these {people}, whoever has it",
    "ε of all releases, to this recipient": "Everything that this recipient was given about these {people}",
    "values outside their public domain": "Values in the files that are neither noisy numbers nor named by the policy",
    "files and columns unaccounted for": "Files or columns that were not measured, or are missing, or differ between formats",
    "rows that break a constraint": "Rows of the synthetic table in which not all holds that the policy says of every row",
    "distance from the noisy marginals": "How far the table is from the noisy counts that it was made of, on average, from 0 to 1",
    "rows and columns unaccounted for": "Faults found when every row and column is traced",
}

BY_COLUMN = {
    "l": "The fewest different values of {column} among records that share a combination",
    "t": "Largest distance between {column} in one group and in all records, from 0 to 1",
    "distinct l": "The fewest different values of {column} among records that share a combination",
    "entropy l": "How many equally likely values of {column} would leave an attacker as unsure, at the fewest",
    "recursive c": "How far the commonest value of {column} outweighs the rare ones in one group, at most",
    "t (equal)": "Largest distance between {column} in one group and in all records, from 0 to 1",
    "t (ordered)": "The same along the order of the values of {column}: near values count less",
    "t (hierarchical)": "The same along the hierarchy of {column}: related values count less",
    "beta": "By how much a value of {column} is likelier in one group than in all records, relative to all",
    "beta (enhanced)": "The same, where a common value of {column} may gain less than a rare one",
    "delta": "How far the share of a value of {column} in one group is from that in all records, in doublings",
}

BY_TEXT = "Share of notes in {column} that still say what anybody in the dataset is called or reached by"

BY_ATTACKER = {
    "k": "The fewest {people} who share what {name} knows",
    "area under the curve": "How often the model ranks a {person} with the target above one without, by noisy counts of {people} held out",
    "maximum risk": "Chance that {name} picks the right {person}, for the {person} most at risk",
}

BY_ATTACK = {
    "certain re-identification by ": "Share of the people in the {name} of whom exactly one {person} is found, and the right one",
    "recall of ": "Share of the people in the {name} who are in the source that are found",
    "inference of ": "How much better {name} is guessed of {people} in the release than without it",
}
"""Meanings of measures of attacks, by how their names begin."""

BELOW = ("ratio of the commonest to the rare values", "bits")
"""Units of measures that have to stay below their threshold, not at it."""

REAL = (
    *BELOW, "equally likely values", "relative gain", "area under the curve, 0.5 is a coin", "times what chance gives",
)  # fmt: skip
"""Units of measures that have decimals."""


@dataclass(frozen=True)
class Row:
    """One measure as the report shows it."""

    name: str
    meaning: str
    value: str
    threshold: str
    verdict: str
    """met, missed or not demanded."""
    note: str


@dataclass(frozen=True)
class Group:
    """The measures of one check."""

    title: str
    rows: tuple[Row, ...]


def check_groups(
    metrics: list[dict[str, Any]], rows: Mapping[str, int], unit: str, counts: Counts
) -> list[Group]:
    """All measures, by check. rows: row counts of the manifest, for shares that stand for a few records."""
    names = [*CHECKS, *(metric["check"] for metric in metrics if metric["check"] not in CHECKS)]
    found = []
    for check in dict.fromkeys(names):
        of_check = tuple(row_of(m, rows, unit, counts) for m in metrics if m["check"] == check)
        if of_check:
            found.append(Group(CHECKS.get(check, check.replace("_", " ")), of_check))
    return found


def row_of(metric: Mapping[str, Any], rows: Mapping[str, int], unit: str, counts: Counts) -> Row:
    """One measure in words.

    The measured k is shown even when it is below the demanded one: it is what was missed, and of a refused
    release no record leaves.
    """
    value, threshold = metric["value"], metric["threshold"]
    few = few_records(metric, rows, counts)
    if value is None:
        shown = "not measured"
    elif few is not None:
        shown = few
    else:
        shown = measure(value, metric["unit"], threshold)
    verdict = "missed" if not metric["passed"] else "not demanded" if threshold is None else "met"
    return Row(
        metric["name"],
        meaning(metric["name"], unit),
        shown,
        demanded(metric),
        verdict,
        note_of(metric, few, counts),
    )


def meaning(name: str, unit: str) -> str:
    """What a measure says; nothing for one this report does not know.

    >>> meaning("l of diagnosis", "patient")
    'The fewest different values of diagnosis among records that share a combination'
    >>> meaning("recursive c (l = 3) of diagnosis", "patient")
    'How far the commonest value of diagnosis outweighs the rare ones in one group, at most'
    >>> meaning("k for neighbour", "patient")
    'The fewest patients who share what neighbour knows'
    """
    if name.startswith("orphans made in "):
        return "Rows that leave and refer to one that does not, though the source has it"
    if name.startswith("identifiers of anybody left in "):
        return BY_TEXT.format(column=name.removeprefix("identifiers of anybody left in "))
    for begin, told in BY_ATTACK.items():
        if name.startswith(begin):
            return told.format(person=unit, people=plural(unit), name=name.removeprefix(begin))
    letter, of, column = name.partition(" of ")
    letter = letter.partition(" (l = ")[0]
    if of and letter in BY_COLUMN:
        return BY_COLUMN[letter].format(column=column)
    measured, of, attacker = name.partition(" for ")
    if of and measured in BY_ATTACKER:
        return BY_ATTACKER[measured].format(person=unit, people=plural(unit), name=attacker)
    return MEANINGS.get(name, "").format(person=unit, people=plural(unit))


def measure(value: float, unit: str, threshold: float | None = None) -> str:
    r"""A value in its unit, with enough decimals to be told from a threshold that it misses.

    >>> measure(0.2, "probability").replace("\xa0", " "), measure(0.05004, "total variation", 0.05)
    ('20.0 %', '0.05004')
    >>> measure(2.9999, "equally likely values", 3.0), measure(2.5, "equally likely values", 2.0)
    ('2.9999', '2.500')
    """
    if unit == "probability" or unit.startswith("share of"):
        scaled = None if threshold is None else threshold * 100
        return percent(value, digits_apart(value * 100, scaled, 1))
    if "distance" in unit or unit == "total variation" or unit in REAL:
        return decimal(value, digits_apart(value, threshold, 3))
    return whole(value)


def demanded(metric: Mapping[str, Any]) -> str:
    """The threshold with its direction."""
    threshold, unit = metric["threshold"], metric["unit"]
    if threshold is None:
        return DASH
    if metric["at_least"]:
        shares = unit.startswith("share of")
        return f"at least {measure(threshold, unit) if shares else whole(threshold)}"
    if unit in BELOW:
        return f"below {threshold:g}"
    if "distance" in unit or unit == "total variation" or unit in REAL:
        return f"at most {threshold:g}"
    return (
        "none"
        if threshold == 0 and unit in {"faults", "reasons to fail"}
        else f"at most {measure(threshold, unit)}"
    )


def few_records(metric: Mapping[str, Any], rows: Mapping[str, int], counts: Counts) -> str | None:
    """How a share is shown that stands for fewer than k records; None for all others."""
    if metric["unit"] != "share of records" or metric["value"] is None:
        return None
    total = rows["in"] if metric["name"] == "suppressed records" else rows["out"]
    n = round(metric["value"] * total)
    return counts.share(n, total) if counts.small(n) else None


def note_of(metric: Mapping[str, Any], few: str | None, counts: Counts) -> str:
    """The validator's note, unless it would tell how many a few records are."""
    note = str(metric["note"])
    if few is not None:
        return "" if metric["passed"] else f"{few} of the records; a threshold of that size would be met"
    if metric["unit"] == "faults":
        # faults of accounting name numbers of rows
        return re.sub(r"\b\d+\b", lambda found: counts.shown(int(found[0])), note)
    return note
