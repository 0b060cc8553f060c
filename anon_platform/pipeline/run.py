"""All five stages of a dataset in one call."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from anon_platform.audit import Event
from anon_platform.errors import AnonError
from anon_platform.ledger import Ledger
from anon_platform.pipeline.plan import plan
from anon_platform.pipeline.stages import StageReport, analyzed, anonymized, cataloged, raw, validated
from anon_platform.pipeline.staging import exclusive
from anon_platform.pipeline.treatments import Progress, silent

Stage = Callable[[Path, Progress], StageReport]

STAGES: dict[str, Stage] = {
    "raw": raw,
    "analyzed": analyzed,
    "anonymized": anonymized,
    "validated": validated,
    "cataloged": cataloged,
}


@dataclass(frozen=True)
class Outcome:
    """What became of a run: its stages' reports, and whether there is a release."""

    reports: dict[str, StageReport]
    released: bool

    @property
    def validated(self) -> StageReport:
        """The report with the assessment."""
        return self.reports["validated"]


def run(file: Path, progress: Progress = silent) -> Outcome:
    """Runs the policy from source to catalog; a refused release ends after `validated`, without data.

    Failures other than a refusal raise; they are in the audit ledger by then.
    """
    policy = plan(file).policy
    with exclusive(policy.dataset), Ledger.open() as ledger:
        reports: dict[str, StageReport] = {}
        try:
            for name, stage in STAGES.items():
                reports[name] = stage(file, progress)
                assessment = reports[name].assessment
                if assessment is not None and not assessment.passed:
                    return Outcome(reports, released=False)
        except AnonError as error:
            ledger.append(
                Event(
                    action="run.failed",
                    dataset=policy.dataset,
                    policy_hash=policy.hash,
                    outcome=type(error).__name__,
                    details={"stages_done": len(reports)},
                )
            )
            raise
        return Outcome(reports, released=True)
