"""The section on re-identification risk: before and after, against whom, and what each figure means."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from anon_platform.publish.wording import DASH, Counts, counted, decimal, listing, percent, plural


@dataclass(frozen=True)
class RiskRow:
    """One figure before and after."""

    name: str
    meaning: str
    before: str
    after: str


@dataclass(frozen=True)
class RiskTable:
    """Figures of one kind. note: what they rest on."""

    title: str
    rows: tuple[RiskRow, ...]
    note: str = ""


def risk_tables(detail: Mapping[str, Any], counts: Counts) -> list[RiskTable]:
    """The risk of original and released records; none where nothing was measured."""
    risk = detail.get("risk")
    if risk is None:
        return []
    before, after = risk["before"], risk["after"]
    found = [_prosecutor(risk, before, after, counts)]
    found += [_attackers(risk, counts)] if risk["attackers"] else []
    found += _population(risk, before, after)
    found += [_events(risk, before, after)] if after["events"] else []
    return found


def _prosecutor(
    risk: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any], counts: Counts
) -> RiskTable:
    unit = risk["unit"]
    rows = list(_of_classes(before["classes"], after["classes"], unit, counts))
    if after["wild"] is not None or before["wild"] is not None:
        pair = [side["wild"] or side["classes"] for side in (before, after)]
        rows.append(
            RiskRow(
                "Maximum risk, suppressed cells matching everything",
                "The same when a suppressed or empty cell may stand for any value",
                *(percent(one["maximum"]) for one in pair),
            )
        )
    for name, (diversity, distance, beta, delta) in risk["wild_diversity"].items():
        rows.append(
            RiskRow(
                f"l, t, β and δ of {name}, suppressed cells matching everything",
                "The same when a suppressed or empty cell of a quasi-identifier may stand for any value",
                DASH,
                f"{diversity}; {decimal(distance)}; {beta:.3g}; {'no bound' if delta is None else format(delta, '.3g')}",
            )
        )
    note = (
        "A suppressed or empty cell counts as a value of its own, in every measure that is demanded: the stricter of its two"
        " meanings, since one that matches everything only hides a record among more."
    )
    return RiskTable(f"An attacker who knows that the {unit} is in the data (prosecutor)", tuple(rows), note)


def _of_classes(
    before: Mapping[str, Any], after: Mapping[str, Any], unit: str, counts: Counts
) -> Iterator[RiskRow]:
    yield RiskRow(
        "Smallest group",
        f"{plural(unit).capitalize()} who share the rarest combination",
        *(counts.shown(one["k"]) for one in (before, after)),
    )
    yield RiskRow(
        "Maximum risk",
        f"Chance to pick the right {unit}, for the one most at risk",
        *(percent(one["maximum"]) for one in (before, after)),
    )
    yield RiskRow(
        "Mean risk",
        "The same, average over all records",
        *(percent(one["mean"]) for one in (before, after)),
    )
    if after["above"] is not None:
        yield RiskRow(
            "Records over the bound",
            "Share of records whose risk is above the demanded maximum",
            *(counts.share(one["above"] * one["records"], one["records"]) for one in (before, after)),
        )
    yield RiskRow(
        "Sample uniques",
        f"Share of records whose combination belongs to one {unit}",
        *(counts.share(one["unique_share"] * one["records"], one["records"]) for one in (before, after)),
    )


def _attackers(risk: Mapping[str, Any], counts: Counts) -> RiskTable:
    rows: list[RiskRow] = []
    for attacker in risk["attackers"]:
        pair = (attacker["before"], attacker["after"])
        rows.append(
            RiskRow(
                attacker["name"],
                f"Knows {listing(attacker['knows'])}: smallest group, maximum and mean risk",
                *(
                    f"{counts.shown(one['k'])}; {percent(one['maximum'])}; {percent(one['mean'])}"
                    for one in pair
                ),
            )
        )
    return RiskTable("Attackers who know less", tuple(rows))


def _population(
    risk: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[RiskTable]:
    unit = risk["unit"]
    rows: list[RiskRow] = []
    if after["journalist"] is not None:
        rows += _journalist(before["journalist"], after["journalist"], unit)
    if after["table_uniques"] is not None:
        alone = percent(after["table_uniques"], 3)
        rows.append(
            RiskRow("Population uniques", "Share of the population alone with its combination", DASH, alone)
        )
    note = "The population is a table that the policy names, generalized like the data."
    if after["uniques"] is not None:
        rows += _uniques(before["uniques"], after["uniques"])
        rows += _copula(before["copula"], after["copula"])
        note = (
            f"Estimated: {percent(risk['fraction'], 2)} of the population is in the source, taken for a random sample of it."
            " The estimators disagree where little is known; their spread tells how much (Dankar et al. 2012; Rocher et al."
            " 2019). Intervals are 95 %."
        )
    if rows:
        yield RiskTable(
            "An attacker who does not know who is in the data (journalist, marketer)", tuple(rows), note
        )


def _journalist(before: Mapping[str, Any] | None, after: Mapping[str, Any], unit: str) -> Iterator[RiskRow]:
    def pair(name: str) -> tuple[str, str]:
        return (percent(before[name], 2) if before is not None else DASH, percent(after[name], 2))

    most = f"Chance to pick the right {unit} of the population, for the one most at risk"
    yield RiskRow("Journalist risk, maximum", most, *pair("maximum"))
    yield RiskRow("Journalist risk, mean", "The same, average over all records", *pair("mean"))
    marketer = f"Share of {plural(unit)} picked rightly by whoever picks one for each"
    yield RiskRow("Marketer risk", marketer, *pair("marketer"))


def _uniques(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[RiskRow]:
    sides = [before, after]
    yield RiskRow(
        "Population uniques",
        f"Share of the population alone with its combination, by Dankar’s rule ({before['by']} before, {after['by']} after)",
        *(_with_interval(side["share"], side["interval"]) for side in sides),
    )
    names = [name for name in before["estimates"] if name in after["estimates"]]
    if names:
        yield RiskRow(
            "Spread of the estimators",
            listing(names),
            *(_spread([side["estimates"][name] for name in names]) for side in sides),
        )


def _copula(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Iterator[RiskRow]:
    if before is None or after is None:
        return
    sides = [before, after]
    yield RiskRow(
        "Unique in the population, by a model of the columns",
        "Average chance that nobody else has the combination (Gaussian copula)",
        *(_with_interval(side["unique"], side["interval"]) for side in sides),
    )
    yield RiskRow(
        "Right pick, by the same model",
        "Average chance to be right for whoever picks among all who have the combination",
        *(percent(side["correct"], 2) for side in sides),
    )


def _events(risk: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> RiskTable:
    unit = risk["unit"]
    earlier = {one["known"]: one for one in before["events"]}
    rows = tuple(
        RiskRow(
            f"{counted(one['known'], 'known row')}",
            f"Share of {plural(unit)} alone with them; {one['targets']:,} tried",
            _with_interval(earlier[one["known"]]["unique"], earlier[one["known"]]["interval"], 1)
            if one["known"] in earlier
            else DASH,
            _with_interval(one["unique"], one["interval"], 1),
        )
        for one in after["events"]
    )
    note = (
        f"A pseudonym links the rows of a {unit}: whoever knows some of them, by their quasi-identifiers, finds the others"
        " with it (de Montjoye et al. 2013)."
    )
    return RiskTable("An attacker who knows several rows of one " + unit, rows, note)


@dataclass(frozen=True)
class EarlierRow:
    """Records that are told apart beside earlier releases."""

    release: str
    records: str
    groups: str
    smallest: str
    too_small: str


RECORDS = {
    "common": "In both",
    "added": "Not in the earlier",
    "removed": "In the earlier only",
}


def earlier_rows(detail: Mapping[str, Any], counts: Counts) -> list[EarlierRow]:
    """This release laid beside those that its recipient has; none where there is none."""
    return [
        EarlierRow(
            one["release"],
            RECORDS[kind],
            f"{found['groups']:,}",
            DASH if found["smallest"] is None else counts.shown(found["smallest"]),
            f"{found['too_small']:,}",
        )
        for one in detail.get("earlier", ())
        for kind, found in one["kinds"].items()
    ]


def _with_interval(share: float | None, interval: Sequence[float | None], digits: int = 2) -> str:
    low, high = interval
    if share is None or low is None or high is None:
        return "not estimated"
    if low == high:
        return percent(share, digits)
    return f"{percent(share, digits)} ({percent(low, digits)} to {percent(high, digits)})"


def _spread(shares: Sequence[float]) -> str:
    return f"{percent(min(shares), 2)} to {percent(max(shares), 2)}"
