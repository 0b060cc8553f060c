"""Points that were measured before: numbers only, by what they depend on."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from anon_platform.frontier.point import Point
from anon_platform.frontier.sweep import Setting
from anon_platform.home import home
from anon_platform.policy import Policy
from anon_platform.publish import read_json, write_json
from anon_platform.version import RELEASED_DATA_VERSION, VERSION

FORMAT = 1
"""Raised when what is measured of a point changes."""


@dataclass(frozen=True)
class Cache:
    """The points of one input. fingerprint: of the source, keyed. sample, model_people: as the run was asked."""

    folder: Path
    fingerprint: str
    sample: int | None
    model_people: int | None

    @classmethod
    def of(cls, policy: Policy, fingerprint: str, sample: int | None, model_people: int | None) -> "Cache":
        """Below ANON_HOME."""
        folder = home() / "frontier" / policy.dataset / "points"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls(folder, fingerprint, sample, model_people)

    def _file(self, policy: Policy, setting: Setting) -> Path:
        identity = [
            FORMAT, VERSION, RELEASED_DATA_VERSION, self.fingerprint, self.sample, self.model_people,
            setting.of(policy).canonical(), setting.model_dump(mode="json"),
        ]  # fmt: skip
        name = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        return self.folder / f"{name}.json"

    def known(self, policy: Policy, setting: Setting) -> Point | None:
        """The point, if it was measured before; a damaged file counts as none."""
        file = self._file(policy, setting)
        if not file.exists():
            return None
        try:
            return Point.model_validate_json(json.dumps(read_json(file)))
        except ValueError:
            return None

    def keep(self, policy: Policy, point: Point) -> None:
        """For the next run. Which thresholds a point misses depends on the policy, and is judged anew."""
        write_json(
            self._file(policy, point.setting), point.model_copy(update={"missed": ()}).model_dump(mode="json")
        )
