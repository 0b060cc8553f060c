"""All five stages of a dataset in one call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from anon_platform.errors import AnonError
from anon_platform.ledger import Ledger
from anon_platform.ledger.audit import Event
from anon_platform.pipeline import stages
from anon_platform.pipeline.dp.stages import DP_STAGES
from anon_platform.pipeline.plan import plan
from anon_platform.pipeline.stages import StageReport, cataloged, cataloged_of
from anon_platform.pipeline.staging import exclusive
from anon_platform.pipeline.tables import stages as tables_stages
from anon_platform.pipeline.treatments import Progress, silent
from anon_platform.policy import ANY_POLICY, DPPolicy, kind_of

Stage = Callable[[Path, Progress], StageReport]


def raw(file: Path, progress: Progress = silent) -> StageReport:
    """Checks the policy against its source and copies it to staging, typed, complete and numbered.

    Of a differentially private release the loss is reserved first, and only columns with a domain are copied.
    """
    return _stage("raw", file, progress)


def analyzed(file: Path, progress: Progress = silent) -> StageReport:
    """Profiles the snapshot and measures the risk of the original records; or bounds what a person contributes."""
    return _stage("analyzed", file, progress)


def anonymized(file: Path, progress: Progress = silent) -> StageReport:
    """Searches the levels, treats the rows and writes them to staging; or measures with noise."""
    return _stage("anonymized", file, progress)


def validated(file: Path, progress: Progress = silent) -> StageReport:
    """Measures the written files; promotes them to a release if, and only if, every threshold holds."""
    return _stage("validated", file, progress)


def _stage(name: str, file: Path, progress: Progress) -> StageReport:
    """The stage of this name for the kind of policy in the file."""
    kind = kind_of(file)
    if kind == "dp":
        return DP_STAGES[name](sound_dp(file), progress)
    module = tables_stages if kind == "tables" else stages
    found: Stage = getattr(module, name)
    return found(file, progress)


def sound_dp(file: Path) -> DPPolicy:
    """The differentially private policy in the file, with all that it names."""
    policy = plan(file).policy
    assert isinstance(policy, DPPolicy)
    return policy


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
    return in_turn(policy, {name: partial(stage, file) for name, stage in STAGES.items()}, progress)


def run_dp(policy: DPPolicy, progress: Progress = silent) -> Outcome:
    """Runs a differentially private policy that need not stand in a file, such as one made of a query."""
    last = {"cataloged": cataloged_of}
    return in_turn(policy, {n: partial(stage, policy) for n, stage in (DP_STAGES | last).items()}, progress)


def in_turn(
    policy: ANY_POLICY, made: Mapping[str, Callable[[Progress], StageReport]], progress: Progress
) -> Outcome:
    """What became of all stages in turn; see `run`."""
    with exclusive(policy.dataset), Ledger.open() as ledger:
        reports: dict[str, StageReport] = {}
        try:
            for name, stage in made.items():
                reports[name] = stage(progress)
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
