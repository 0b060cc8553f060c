"""Tables that were tried before: what was found of them, by what it depends on."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from anon_platform.errors import IntegrityError
from anon_platform.frontier.dp.trying import Tried
from anon_platform.home import home
from anon_platform.policy import DPPolicy
from anon_platform.publish import read_json, write_json
from anon_platform.version import RELEASED_DATA_VERSION, VERSION

FORMAT = 1
"""Raised when what is found of a table changes."""

TRIED = TypeAdapter(Tried)


@dataclass(frozen=True)
class Kept:
    """The points of one input. fingerprint: of the source, keyed. sample: as the run was asked."""

    folder: Path
    fingerprint: str
    sample: int | None

    @classmethod
    def of(cls, policy: DPPolicy, fingerprint: str, sample: int | None) -> "Kept":
        """Below ANON_HOME."""
        folder = home() / "frontier" / policy.dataset / "points"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls(folder, fingerprint, sample)

    def _file(self, policy: DPPolicy) -> Path:
        identity = [FORMAT, VERSION, RELEASED_DATA_VERSION, self.fingerprint, self.sample, policy.canonical()]
        name = hashlib.sha256(json.dumps(identity).encode()).hexdigest()
        return self.folder / f"{name}.json"

    def known(self, policy: DPPolicy) -> Tried | None:
        """The point of the policy at its ε, if it was found before; a damaged file counts as none."""
        file = self._file(policy)
        if not file.exists():
            return None
        try:
            return TRIED.validate_python(read_json(file))
        except (ValidationError, IntegrityError):
            return None

    def keep(self, policy: DPPolicy, point: Tried) -> None:
        """For the next run."""
        write_json(self._file(policy), TRIED.dump_python(point, mode="json"))
