"""Files that the attacks of a policy name, looked at before a run: whether they can be read, and have the columns."""

from collections.abc import Iterator, Mapping

from anon_platform.errors import SourceError
from anon_platform.ingest import source_schema
from anon_platform.policy import Attacks, Linkage, Source
from anon_platform.policy.faults import Path_
from anon_platform.policy.rules.privacy import Broken, Draft


def attack_file_faults(draft: Draft) -> Iterator[Broken]:
    """Files that cannot be read, and columns that they lack: the attack would only fail when the release is measured."""
    attacks = draft.parts.get("attacks")
    if not isinstance(attacks, Attacks):
        return
    for i, linkage in enumerate(attacks.linkage):
        at: Path_ = ("attacks", "linkage", i)
        yield from _missing((*at, "external"), linkage.external, _wanted(at, linkage))
        if linkage.truth is not None:
            truth = linkage.truth
            places = {(*at, "truth", "external"): truth.external, (*at, "truth", "person"): truth.person}
            yield from _missing((*at, "truth"), truth, places)
    if attacks.control is not None:
        yield from _control(attacks.control, draft)


def _wanted(at: Path_, linkage: Linkage) -> dict[Path_, str]:
    """The columns of the external file, by the place that names each."""
    found: dict[Path_, str] = {(*at, "columns", ours): theirs for ours, theirs in linkage.columns.items()}
    found |= {(*at, "years", ours, "since"): years.since for ours, years in linkage.years.items()}
    found |= {(*at, "before", ours): theirs for ours, theirs in linkage.before.items()}
    if linkage.external.id is not None:
        found[(*at, "external", "id")] = linkage.external.id
    return found


def _control(source: Source, draft: Draft) -> Iterator[Broken]:
    at: Path_ = ("attacks", "control")
    try:
        schema = source_schema(source)
    except SourceError as error:
        yield (*at, "path"), str(error).replace("source.path", "path")
        return
    if lacking := [name for name in draft.names if name not in schema]:
        yield at, f"control people have every column of the source; this file lacks {', '.join(lacking)}"


def _missing(at: Path_, source: Source, wanted: Mapping[Path_, str]) -> Iterator[Broken]:
    try:
        schema = source_schema(source)
    except SourceError as error:
        yield (*at, "path"), str(error).replace("source.path", "path")
        return
    # without a header the first line of a CSV file has cells, which are not named
    known = f"it has {', '.join(schema)}" if set(wanted.values()) & set(schema) else "nor any other of these"
    for place, name in wanted.items():
        if name not in schema:
            yield place, f"the file has no such column; {known}"
