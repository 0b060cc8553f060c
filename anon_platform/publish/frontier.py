"""The frontier of a policy in the report of its releases: drawn by `anon frontier`, for this policy and this source."""

from collections.abc import Mapping, Sequence
from typing import Any

from anon_platform.home import home
from anon_platform.publish.release import read_json, write_json

SECTION = "section.json"


def keep_section(
    dataset: str, *, policy_hash: str, fingerprint: str, sample: str, advice: str, plots: Sequence[str]
) -> None:
    """Leaves what the report shows below ANON_HOME; counts, measures and names of levels only."""
    folder = home() / "frontier" / dataset
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    told = {"policy_hash": policy_hash, "fingerprint": fingerprint, "sample": sample}
    write_json(folder / SECTION, told | {"advice": advice, "plots": list(plots)})


def section_of(dataset: str, policy_hash: str, fingerprint: str) -> Mapping[str, Any] | None:
    """The section for a release of this policy from this source; None where the frontier was not drawn for both."""
    file = home() / "frontier" / dataset / SECTION
    if not file.exists():
        return None
    found: Mapping[str, Any] = read_json(file)
    return found if (found["policy_hash"], found["fingerprint"]) == (policy_hash, fingerprint) else None
