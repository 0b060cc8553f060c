"""The report of a release of several tables: each table in a line, and what holds across them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from anon_platform.publish.checks import row_of
from anon_platform.publish.pdf import PDF, write_pdf
from anon_platform.publish.report import facts, files, in_style, provenance, rendered
from anon_platform.publish.wording import SMALL_CELL, Counts, plural

ACROSS = ("orphans made in ", "k of all tables together", "maximum risk of all tables together")


def write_tables_report(
    file: Path,
    *,
    manifest: Mapping[str, Any],
    tables: Mapping[str, Mapping[str, Any]],
    assessment: Mapping[str, Any],
) -> None:
    """Writes the page. tables: the manifest of each table that has a report beside this one."""
    told = rendered("tables.html.j2", content(manifest, tables, assessment))
    file.write_text(told, encoding="utf-8")
    if manifest.get("pdf"):
        write_pdf(file.with_name(PDF), told, identifier=manifest["release_id"])


def content(
    manifest: Mapping[str, Any], tables: Mapping[str, Mapping[str, Any]], assessment: Mapping[str, Any]
) -> dict[str, Any]:
    """What the template shows, in words."""
    counts = Counts(int(manifest["plan"]["thresholds"].get("k", SMALL_CELL)))
    unit, metrics = manifest["people"]["name"], manifest["metrics"]
    across = [metric for metric in metrics if metric["name"].startswith(ACROSS)]
    return {
        "title": manifest["title"],
        "passed": manifest["passed"],
        "footer": in_style(f"Release report, {manifest['dataset']}, {manifest['release_id']}"),
        "facts": facts(manifest),
        "release_id": manifest["release_id"],
        "dataset": manifest["dataset"],
        "recipient": manifest["recipient"],
        "demanded": sum(metric["threshold"] is not None for metric in metrics),
        "missed": [(metric["name"], metric["note"]) for metric in metrics if not metric["passed"]],
        "tables": [_table(name, manifest, tables, assessment, counts) for name in manifest["tables"]],
        "people": _people(manifest, counts),
        "measures": [row_of(metric, manifest["rows"], unit, counts) for metric in across],
        "references": [_reference(each, counts) for each in assessment["detail"]["references"]],
        "provenance": provenance(manifest),
        "files": files(manifest),
        "rests_on_manifest": manifest["rests_on_manifest"],
        "small": counts.k,
        "units": plural(unit),
        "version": manifest["versions"]["anon_platform"],
    }


def _table(
    name: str,
    manifest: Mapping[str, Any],
    tables: Mapping[str, Mapping[str, Any]],
    assessment: Mapping[str, Any],
    counts: Counts,
) -> dict[str, Any]:
    stages = manifest["stages"]
    came, left = stages["raw"]["rows by table"][name], stages["anonymized"]["rows_out by table"][name]
    dropped = stages["anonymized"]["rows_dropped by table"][name]
    columns = [column.removeprefix(f"{name}.") for column in manifest["quasi_identifiers"]]
    return {
        "name": name,
        "report": f"tables/{name}/report.html" if name in tables else "",
        "rows_in": counts.whole(came, left),
        "rows_out": counts.shown(left),
        "suppressed": counts.shown(came - left),
        "dropped": counts.shown(dropped),
        "quasi_identifiers": ", ".join(c for c in columns if f"{name}.{c}" in manifest["quasi_identifiers"]),
        "passed": assessment["detail"]["tables"][name]["passed"],
    }


def _people(manifest: Mapping[str, Any], counts: Counts) -> str:
    people = manifest["people"]
    units = plural(people["name"])
    return (
        f"{counts.whole(people['in'], people['out'])} {units} came in and {counts.shown(people['out'])} have a row in the"
        f" tables that {'leave' if manifest['passed'] else 'were treated'}."
    )


def _reference(found: Mapping[str, Any], counts: Counts) -> dict[str, str]:
    reference = found["reference"]
    numbers = ("rows_before", "orphans_before", "rows_after", "orphans_after")
    name = f"{reference['table']}.{reference['column']} to {reference['to']}.{reference['key']}"
    return {"name": name} | {number: counts.shown(found[number]) for number in numbers}
