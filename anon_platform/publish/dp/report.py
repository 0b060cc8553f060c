"""The report of a differentially private release: what ε means, what is left of the budget, how large noise is."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from anon_platform.publish.checks import check_groups
from anon_platform.publish.dp.answers import answer_tables
from anon_platform.publish.dp.columns import column_rows
from anon_platform.publish.dp.meaning import bounds, posterior, two_sentences
from anon_platform.publish.dp.plot import beliefs, spent_bars
from anon_platform.publish.dp.shapes import shapes
from anon_platform.publish.headlines import Headline, missed_thresholds
from anon_platform.publish.pdf import PDF, write_pdf
from anon_platform.publish.regulations import regulations_of
from anon_platform.publish.report import facts, files, in_style, provenance, rendered
from anon_platform.publish.wording import SMALL_CELL, Counts, moment, percent, plural


def write_dp_report(
    file: Path,
    *,
    manifest: dict[str, Any],
    assessment: Mapping[str, Any],
    account: Mapping[str, Any],
    answers: Mapping[str, Sequence[Mapping[str, Any]]],
    model: Mapping[str, Any] | None = None,
) -> None:
    """Writes the report: the same bytes for the same input.

    account: what was taken of the budget, and what is left. answers: the rows of each statistic, as they are released.
    model: one that is released, as its file holds it.
    """
    told = rendered("dp.html.j2", content(manifest, assessment, account, answers) | _shapes(model))
    file.write_text(told, encoding="utf-8")
    if manifest.get("pdf"):
        write_pdf(file.with_name(PDF), told, identifier=manifest["release_id"])


def content(
    manifest: Mapping[str, Any],
    assessment: Mapping[str, Any],
    account: Mapping[str, Any],
    answers: Mapping[str, Sequence[Mapping[str, Any]]],
) -> dict[str, Any]:
    """What the template shows, in words."""
    counts, unit = Counts(SMALL_CELL), manifest["people"]["name"]
    loss = manifest["privacy_loss"]
    rows = {"in": 0, "out": 0, "suppressed": 0}
    regulations = regulations_of(assessment["detail"])
    clauses = {clause.check for regulation in regulations for clause in regulation.clauses}
    measured = [metric for metric in manifest["metrics"] if metric["check"] not in clauses]
    return {
        "dp": True,
        "title": manifest["title"],
        "passed": manifest["passed"],
        "footer": in_style(f"Release report, {manifest['dataset']}, {manifest['release_id']}"),
        "facts": facts(manifest),
        "release_id": manifest["release_id"],
        "dataset": manifest["dataset"],
        "recipient": manifest["recipient"],
        "demanded": sum(metric["threshold"] is not None for metric in manifest["metrics"]),
        "missed": missed_thresholds({**manifest, "rows": rows}, counts),
        "headlines": _headlines(manifest, assessment, account),
        "sentences": two_sentences(loss, unit),
        "beliefs": beliefs(bounds(loss)[0], unit),
        "limits": _limits(manifest),
        "groups": check_groups(measured, rows, unit, counts),
        "regulations": regulations,
        "population": account["population"],
        "rule": account["rule"],
        "bars": spent_bars(account["shares"]),
        "shares": [_share(share) for share in account["shares"]],
        "releases": _releases(account["releases"], manifest),
        "others": _others(account["releases"], manifest),
        "measurements": [_measurement(each) for each in manifest["plan"]["expected"]],
        "answers": answer_tables(answers),
        "tables": [_table(each) for each in manifest["tables_drawn"]],
        "columns": column_rows(manifest),
        "unit": unit,
        "units": plural(unit),
        "provenance": [row for row in provenance(manifest) if row[1]],
        "files": files(manifest),
        "rests_on_manifest": manifest["rests_on_manifest"],
        "version": manifest["versions"]["anon_platform"],
    }


def _shapes(model: Mapping[str, Any] | None) -> dict[str, Any]:
    if model is None:
        return {"shapes": "", "target": ""}
    target = model["target"]
    positive = " or ".join(str(value) for value in target["positive"])
    return {"shapes": shapes(model), "target": f"{target['column']} is {positive}"}


def _headlines(
    manifest: Mapping[str, Any], assessment: Mapping[str, Any], account: Mapping[str, Any]
) -> list[Headline]:
    loss, unit = manifest["privacy_loss"], manifest["people"]["name"]
    passed = {metric["check"]: metric["passed"] for metric in manifest["metrics"]}
    overall = account["shares"][0]
    found = [
        Headline(
            "Privacy loss",
            f"ε = {loss['epsilon']:.3g}",
            f"at δ = {loss['delta']:g}, for a {unit} with up to {loss['contribution']} rows",
            missed=not passed.get("privacy_loss", True),
        ),
        Headline(
            "Who suspects that somebody is in the data",
            f"50 % → {percent(posterior(0.5, bounds(loss)[0]), 0)}",
            "sure at most after reading it all, knowing everybody else’s records",
        ),
        Headline(
            "One more release may take",
            f"ε = {overall['left']:.3g}",
            f"under the cap of {overall['cap_epsilon']:g} for all releases about {account['population']} together",
            missed=not passed.get("privacy_budget", True),
        ),
    ]
    fit = assessment["detail"]["fit"]
    if "auc" in fit:
        text = f"area under the curve on {plural(unit)} held out, {fit['auc_low']:.3f} to {fit['auc_high']:.3f} at 95 %"
        found.append(Headline("Quality", f"{fit['auc']:.3f}", text))
    if "distance" in fit:
        text = f"mean distance of the table from the noisy counts it was made of; noise alone makes {percent(fit['noise'])}"
        found.append(Headline("Fit", percent(fit["distance"]), text))
    return found


def _limits(manifest: Mapping[str, Any]) -> list[str]:
    """What ε does not say, in sentences."""
    loss, unit = manifest["privacy_loss"], manifest["people"]["name"]
    rows = loss["contribution"]
    return [
        f"Of a {unit} with more than {rows} {'row' if rows == 1 else 'rows'}, {rows} were drawn at random; the others were not read further.",
        f"What is true of everybody can be learnt, also about a {unit} who took no part: that is what the release is for.",
        f"Losses add up. They are counted for all releases about these {plural(unit)} that are made here; releases made elsewhere are not.",
        "Domains, bounds and bins are the policy’s, from public knowledge; whoever wrote them is taken not to have looked at the data.",
    ]


def _share(share: Mapping[str, Any]) -> dict[str, str]:
    basic = share["basic"]
    return {
        "whose": f"to {share['recipient']}" if share["recipient"] else "to all recipients together",
        "cap": f"{share['cap_epsilon']:g}",
        "delta": f"{share['cap_delta']:g}",
        "taken": f"{share['taken']:.3g}",
        "left": f"{share['left']:.3g}",
        "basic": "∞" if math.isinf(basic) else f"{basic:.3g}",
    }


def _releases(releases: Sequence[Mapping[str, Any]], manifest: Mapping[str, Any]) -> list[dict[str, str]]:
    """Those to the same recipient: others need not know what was given to whom."""
    return [
        {
            "dataset": each["dataset"],
            "release": each["release_id"],
            "purpose": each["purpose"],
            "epsilon": f"{each['epsilon']:g}",
            "delta": f"{each['delta']:g}",
            "at": moment(each["at"]),
        }
        for each in releases
        if each["recipient"] == manifest["recipient"]
    ]


def _others(releases: Sequence[Mapping[str, Any]], manifest: Mapping[str, Any]) -> int:
    return sum(each["recipient"] != manifest["recipient"] for each in releases)


def _measurement(expected: Mapping[str, Any]) -> dict[str, str]:
    width, cells, deviation = expected["half_width"], expected["cells"], expected["deviation"]
    return {
        "name": expected["name"],
        "what": expected["what"],
        "noise": expected["noise"] + ("" if deviation is None else f", deviation {deviation:.4g}"),
        "cells": "" if cells is None else f"{cells:,}",
        "half_width": "no end" if width is None else f"± {width:.4g}",
    }


def _table(file: Mapping[str, Any]) -> dict[str, str]:
    tabular = file.get("kind", "table") == "table"
    return {
        "name": file["name"],
        "rows": f"{file['rows']:,}" if tabular else "",
        "columns": str(len(file["columns"])) if tabular else "",
        "what": file["what"],
    }
