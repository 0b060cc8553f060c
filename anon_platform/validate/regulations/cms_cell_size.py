"""Cells of 1 to 10 (CMS cell size suppression policy): the classes of the release are the cells that it shows."""

from collections.abc import Callable, Mapping

from anon_platform.validate.regulations.dossier import Dossier
from anon_platform.validate.ruling import LEAST, Ruling, ruled


def cells(dossier: Dossier) -> Ruling:
    """People in the smallest class of quasi-identifiers: 0, or 11 at least."""
    k = dossier.measured.value("k")
    if k is None:
        why = "no quasi-identifier leaves, so that no cell was counted; make sure that no table made of the release has one of 1 to 10"
        return Ruling("needs a human", "no quasi-identifier leaves", (why,))
    failing = [f"a cell has {k:g} {dossier.people}; at least {LEAST} are demanded"] if 0 < k < LEAST else []
    return ruled(dossier.measured.told("k"), failing)


def derived(dossier: Dossier) -> Ruling:
    """Cells that earlier releases give away, and those that tables made of the release would show."""
    measured = dossier.measured
    across = measured.value("k across releases")
    failing = measured.missed("differencing")
    if across is not None and 0 < across < LEAST:
        failing.append(
            f"beside an earlier release a cell has {across:g} {dossier.people}; at least {LEAST} are demanded"
        )
    others = [name for name in dossier.policy.released if name not in dossier.policy.quasi_identifiers]
    why = "whoever makes tables, percentages or text of the release keeps cells of 1 to 10 out of them"
    if others:
        why += f", also those by {', '.join(others)}, which no class counts"
    return ruled(
        measured.told("k across releases") or "no earlier release was there to be compared", failing, [why]
    )


def excluded(dossier: Dossier) -> Ruling:
    """Records left out are a cell of their own, which report and manifest tell."""
    number = dossier.measured.suppressed
    if 0 < number < LEAST:
        why = f"fewer than {LEAST} records were left out, and the number stands in report and manifest; keep both from the recipient"
        return Ruling("needs a human", "the number of records left out", (why,))
    return Ruling("pass", f"the number of records left out: 0, or at least {LEAST}")


CHECKS: Mapping[str, Callable[[Dossier], Ruling]] = {"1": cells, "2": derived, "3": excluded}
"""By the clause's letter what checks it."""
