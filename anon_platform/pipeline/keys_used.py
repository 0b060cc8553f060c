"""Which keys a policy uses, by their check values: a release is made with one version of each."""

from anon_platform.anonymize import Technique
from anon_platform.errors import SourceError
from anon_platform.keys import load_key
from anon_platform.pipeline.staging import Work
from anon_platform.policy import Policy, TablesPolicy
from anon_platform.policy.faults import Path_


def keys_of(step: Technique) -> list[tuple[Path_, str]]:
    """The keys that a step names, with their places in it."""
    shift = getattr(step, "shift_dates", None)
    found: list[tuple[Path_, str | None]] = [
        (("key",), getattr(step, "key", None)),
        (("shift_dates", "key"), getattr(shift, "key", None)),
    ]
    return [(at, key) for at, key in found if key is not None]


def checks_of_keys(policy: Policy | TablesPolicy) -> dict[str, str]:
    """The check value of each key that a step of the policy names, by id; the secret cannot be worked out from it."""
    parts = [policy] if isinstance(policy, Policy) else policy.parts.values()
    steps = [step for part in parts for column in part.columns.values() for step in column.treat]
    ids = {key for step in steps for _, key in keys_of(step)}
    return {key_id: load_key(key_id).check for key_id in sorted(ids)}


def require_same_keys(policy: Policy | TablesPolicy, work: Work) -> None:
    """Refuses to go on with other keys than the release was named for: half of it would be under another."""
    begun, now = work.require("raw")["keys"], checks_of_keys(policy)
    if changed := sorted(key for key in now if now[key] != begun.get(key)):
        raise SourceError(
            f"dataset {policy.dataset}: key {', '.join(changed)} was rotated since raw was materialized; materialize raw"
            " again"
        )
