"""How many of the identifiers in notes are found, as people measured it who looked at a sample."""

from anon_platform.validate.evidence import Evidence, Reviewed
from anon_platform.validate.metric import Metric


def measure_review(evidence: Evidence) -> list[Metric]:
    """The recall that the policy demands, beside that of the newest review; nothing where none is demanded."""
    wanted, found = evidence.policy.thresholds.reviewed_recall, evidence.reviewed
    if wanted is None:
        return []
    if found is None:
        value, passed, note = None, False, _way_out(evidence.policy.file.name)
    else:
        value, passed, note = found.low, found.low >= wanted, _told(found)
        if not passed:
            note += f"; missed by {wanted - found.low:.4f}: look at more notes, or find more and review again"
    return [
        Metric(
            check="text_review", name="reviewed recall", value=value, threshold=wanted, at_least=True,
            passed=passed, unit="share of identifiers", note=note,
        )
    ]  # fmt: skip


def _way_out(policy: str) -> str:
    return (
        "nobody has reviewed notes under these text settings; draw a sample with: anon review"
        f" {policy}, mark it, and read it back with: anon review-import MARKS.json"
    )


def _told(found: Reviewed) -> str:
    return (
        f"lower end of the {found.confidence * 100:g} % interval; {found.missed} of {found.identifiers} identifiers missed in"
        f" {found.notes} notes, {found.reviewers} reviewer(s), {found.drawn} sample(s) drawn"
    )
