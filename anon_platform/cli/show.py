"""What the terminal shows: plans, summaries, lists."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from anon_platform.cli.show_dp import dp_facts, dp_plan
from anon_platform.ledger import CatalogEntry
from anon_platform.ledger.audit import Event
from anon_platform.pipeline import Plan, TablesPlan, VerifiedRelease
from anon_platform.pipeline.dp import DPPlan
from anon_platform.policy.regulations import pack_of
from anon_platform.publish import MANIFEST, TABLES, read_json

SOUND = Text("The policy is sound. No row was read.", style="green")


def plan_text(plan: Plan | TablesPlan | DPPlan) -> RenderableType:
    """The plan of a policy: columns with role and treatment, passes, thresholds."""
    if isinstance(plan, DPPlan):
        return dp_plan(plan)
    if isinstance(plan, Plan):
        return Group(*_plan(plan), SOUND)
    title = Text.assemble(
        (plan.policy.title, "bold"), f"  ({plan.policy.dataset}, {len(plan.tables)} tables)"
    )
    tables = [Padding(Group(*_plan(each)), (1, 0, 0, 2)) for each in plan.tables.values()]
    references = [
        Text(f"  {name}.{column} refers to {to}.{plan.policy.tables[to].key}")
        for name, rules in plan.policy.tables.items()
        for column, to in rules.references.items()
    ]
    return Group(title, *tables, Text("references", style="bold"), *references, Text(""), SOUND)


def _plan(plan: Plan) -> list[RenderableType]:
    policy = plan.policy
    columns = Table("column", "role", "type", "treatment", box=None, header_style="bold", pad_edge=False)
    for column in plan.columns:
        columns.add_row(column.name, column.role.replace("_", " "), column.type, column.treatment)
    limits = Table("threshold", "value", box=None, header_style="bold", pad_edge=False)
    for name, value in plan.thresholds.items():
        limits.add_row(name.replace("_", " "), f"{value:g}")
    unit = policy.privacy_unit
    whose = f"{unit.name}, told apart by {unit.column}" if unit.column else f"{unit.name}: each row is one"
    passes = [Text(f"  {number}. {text}") for number, text in enumerate(plan.passes, 1)]
    return [
        Text.assemble((policy.title, "bold"), f"  ({policy.dataset})"),
        Text(f"source: {policy.source.format}, {plan.files} file(s) at {policy.source.path}"),
        Text(f"privacy unit: {whose}"),
        Text(f"for: {policy.publish.recipient}; {policy.publish.purpose}"),
        Text(f"engine: {plan.engine}"),
        *[
            Text(f"regulation: {pack.title}, {len(pack.clauses)} clauses, each of them checked")
            for pack in map(pack_of, policy.regulation)
        ],
        Text(""),
        columns,
        Text(""),
        Text("passes", style="bold"),
        *passes,
        Text(""),
        limits,
        Text(""),
    ]


def summary(release: Path) -> RenderableType:
    """A release in a dozen lines: what, where, guarantees, risk before and after, utility, report, next step."""
    manifest = read_json(release / MANIFEST)
    assessment = read_json(release / "assessment.json")
    facts = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    facts.add_column(style="bold")
    facts.add_column(overflow="fold")
    measures = {metric["name"]: metric for metric in assessment["metrics"]}
    facts.add_row("in", near(release / (TABLES if "tables" in manifest else "data")))
    if "kind" in manifest:
        lines = dp_facts(manifest, measures)
    elif "tables" in manifest:
        lines = [_released(manifest), *_of_tables(manifest, measures)]
    else:
        lines = [_released(manifest), *_guarantees(manifest, measures, assessment["before"])]
    for line in lines:
        facts.add_row(*line)
    for pack in assessment["detail"].get("regulations", ()):
        facts.add_row("regulation", _verdicts(pack))
    facts.add_row("report", near(release / "report.html"))
    facts.add_row("check it", f"{near(Path(sys.argv[0]))} verify {near(release)}")
    facts.add_row("see it", "make ui   (lineage and checks in the browser, http://127.0.0.1:3000)")
    title = Text.assemble(("✓ ", "green"), (manifest["title"], "bold"), f"  release {manifest['release_id']}")
    return Group(title, Padding(facts, (1, 0, 0, 2)))


def _released(manifest: dict[str, Any]) -> tuple[str, str]:
    rows, people = manifest["rows"], manifest["people"]
    counted = f"{rows['out']:,} of {rows['in']:,} rows ({rows['suppressed']:,} suppressed)"
    return "released", f"{counted}, {people['out']:,} {people['name']}s, {len(manifest['columns'])} columns"


def _verdicts(pack: dict[str, Any]) -> str:
    """How many clauses of a regulation pass, and which ones a human has to judge."""
    verdicts = [clause["verdict"] for clause in pack["clauses"]]
    human = [clause["letter"] for clause in pack["clauses"] if clause["verdict"] == "needs a human"]
    whose = f" (table {pack['table']})" if "table" in pack else ""
    passed = f"{pack['title']}{whose}: {verdicts.count('pass')} of {len(verdicts)} clauses pass"
    return passed + (f"; for a human: ({'), ('.join(human)}), see the report" if human else "")


def near(path: Path) -> str:
    """A path from the current folder where it lies below it, in full otherwise."""
    absolute = path.absolute()
    return str(absolute.relative_to(Path.cwd())) if absolute.is_relative_to(Path.cwd()) else str(path)


def _of_tables(manifest: dict[str, Any], measures: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    """The rows and k of each table, and what holds across them."""
    stages, lines = manifest["stages"], []
    for name in manifest["tables"]:
        came, left = stages["raw"]["rows by table"][name], stages["anonymized"]["rows_out by table"][name]
        k = measures.get(f"{name}: k")
        lines.append((name, f"{left:,} of {came:,} rows" + (f", k {k['value']:g}" if k else "")))
    for name, metric in measures.items():
        if name.startswith("orphans made in "):
            lines.append((name.removeprefix("orphans made in "), metric["note"]))
        elif name == "k of all tables together":
            lines.append(("together", f"k {metric['value']:g} {metric['unit']}"))
    return lines


def _guarantees(
    manifest: dict[str, Any], measures: dict[str, dict[str, Any]], before: dict[str, Any]
) -> list[tuple[str, str]]:
    unit = manifest["people"]["name"]
    lines = []
    if "k" in measures:
        lines.append(
            (
                "k",
                f"{measures['k']['value']:g} {unit}s share every combination of {', '.join(manifest['quasi_identifiers'])}",
            )
        )
    for letter, text in (("l", "distinct values"), ("t", "distance")):
        found = {
            n.removeprefix(f"{letter} of "): m for n, m in measures.items() if n.startswith(f"{letter} of ")
        }
        if found:
            lines.append(
                (
                    letter,
                    ", ".join(f"{name} {metric['value']:.3g}" for name, metric in found.items())
                    + f" ({text})",
                )
            )
    if "maximum risk" in measures:
        after = measures["maximum risk"]["value"], measures["mean risk"]["value"]
        lines.append(
            (
                "risk",
                (
                    f"before: at most {before['max_risk']:.0%}, mean {before['mean_risk']:.1%};"
                    f" after: at most {after[0]:.0%}, mean {after[1]:.1%}"
                ),
            )
        )
        lines.append(_detail(manifest))
    distance = measures.get("largest column distance")
    if distance is not None:
        lines.append(("fidelity", f"largest column distance {distance['value']:.3f} ({distance['note']})"))
    loss = measures.get("model loss")
    if loss is not None and loss["value"] is not None:
        lines.append(("model", f"{loss['value']:.1%} of the original's lift lost; {loss['note']}"))
    return lines


def _detail(manifest: dict[str, Any]) -> tuple[str, str]:
    """The level of each quasi-identifier, or what each lost where every class has levels of its own."""
    lost = manifest["stages"]["anonymized"].get("loss_by_column")
    if lost is not None:
        return "detail lost", ", ".join(f"{name} {share:.1%}" for name, share in lost.items())
    levels = (
        f"{name} {'suppressed' if level == '*' else level}" for name, level in manifest["levels"].items()
    )
    return "levels", ", ".join(levels)


def refusal(folder: Path) -> RenderableType:
    """Why a release was refused, by how much, and what would be met."""
    assessment = read_json(folder / "assessment.json")
    table = Table(
        "measure", "value", "threshold", "what would meet it", box=None, header_style="bold", pad_edge=False
    )
    for metric in assessment["metrics"]:
        if not metric["passed"]:
            value = "not measured" if metric["value"] is None else f"{metric['value']:.4g}"
            table.add_row(metric["name"], value, f"{metric['threshold']:g}", metric["note"])
    return Group(
        Text.assemble(("✗ release refused, no data left", "bold red")),
        Padding(table, (1, 0, 1, 2)),
        Text(f"report: {near(folder / 'report.html')}"),
    )


def verification(verified: VerifiedRelease) -> RenderableType:
    """What was found in a release, and what rests on its manifest."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for finding in verified.findings:
        mark = Text("✓", style="green") if finding.passed else Text("✗", style="bold red")
        table.add_row(mark, finding.name, finding.text)
    verdict = (
        Text("The folder is what its manifest says.", style="green")
        if verified.passed
        else Text("The folder is not what its manifest says.", style="bold red")
    )
    rests = [Text(f"  - {text}") for text in verified.rests_on_manifest]
    return Group(
        Text(f"{verified.dataset}, release {verified.release_id}", style="bold"),
        table,
        verdict,
        Text("Resting on the manifest, since the files alone cannot show it:"),
        *rests,
    )


def catalog(entries: Sequence[CatalogEntry]) -> RenderableType:
    """The catalog as a table."""
    if not entries:
        return Text("no releases yet; make one with: anon run POLICY")
    table = Table(
        "dataset", "release", "promoted", "rows", "people", "k", "folder", box=None, header_style="bold"
    )
    for entry in entries:
        k = entry.metrics.get("k")
        table.add_row(
            entry.dataset,
            entry.release_id,
            entry.promoted_at[:19],
            f"{entry.rows_out:,}",
            "" if entry.people is None else f"{entry.people:,}",
            "" if k is None else f"{k:g}",
            near(Path(entry.path)),
        )
    return table


def events_table(events: Sequence[Event]) -> RenderableType:
    """Audit events as a table, oldest first."""
    table = Table(
        "#", "when (UTC)", "who", "what", "dataset", "release", "outcome", box=None, header_style="bold"
    )
    for event in events:
        table.add_row(
            str(event.seq),
            event.at[:19],
            event.actor,
            event.action,
            event.dataset,
            event.release_id,
            event.outcome,
        )
    return table
