"""All five stages of a dataset in one call."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from anon_platform.errors import AnonError
from anon_platform.ledger import Ledger
from anon_platform.ledger.audit import Event
from anon_platform.pipeline import stages
from anon_platform.pipeline.plan import plan
from anon_platform.pipeline.stages import StageReport, cataloged
from anon_platform.pipeline.staging import exclusive
from anon_platform.pipeline.tables import stages as tables_stages
from anon_platform.pipeline.treatments import Progress, silent
from anon_platform.policy import over_tables

Stage = Callable[[Path, Progress], StageReport]


def raw(file: Path, progress: Progress = silent) -> StageReport:
    """Checks the policy against its source and copies it to staging, typed, complete and numbered."""
    return tables_stages.raw(file, progress) if over_tables(file) else stages.raw(file, progress)


def analyzed(file: Path, progress: Progress = silent) -> StageReport:
    """Profiles the snapshot and measures the risk of the original records."""
    return tables_stages.analyzed(file, progress) if over_tables(file) else stages.analyzed(file, progress)


def anonymized(file: Path, progress: Progress = silent) -> StageReport:
    """Searches the levels, treats the rows and writes them to staging."""
    return (
        tables_stages.anonymized(file, progress) if over_tables(file) else stages.anonymized(file, progress)
    )


def validated(file: Path, progress: Progress = silent) -> StageReport:
    """Measures the written files; promotes them to a release if, and only if, every threshold holds."""
    return tables_stages.validated(file, progress) if over_tables(file) else stages.validated(file, progress)


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
