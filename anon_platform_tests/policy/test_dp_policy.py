"""Policies of differentially private releases: what they must say, and what is wrong with them, at its place."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from anon_platform.errors import PolicyError
from anon_platform.pipeline import plan
from anon_platform.policy import DPPolicy, json_schema, load_any_policy
from anon_platform_tests.private_clinic import COMMON, SYNTHETIC, make_private_clinic, said

ZERO = {"epsilon": 3.0, "delta": 0.0}


def faults(folder: Path, policy: dict[str, Any]) -> list[str]:
    """What `anon check` says of the policy, without the file's name."""
    make_private_clinic(folder)
    file = folder / "faulty.yaml"
    file.write_text(yaml.safe_dump(policy, sort_keys=False), encoding="utf-8")
    with pytest.raises(PolicyError) as error:
        plan(file)
    return [re.sub(r"^.*?faulty.yaml:\d+:\d+ ", "", line) for line in str(error.value).splitlines()]


def loss(**changes: Any) -> dict[str, Any]:
    return said(privacy_loss=changes)


def without(name: str) -> dict[str, Any]:
    policy = said()
    del policy["privacy_loss"][name]
    return policy


def column(name: str, **changes: Any) -> dict[str, Any]:
    policy = said()
    policy["columns"][name] |= changes
    return policy


@pytest.mark.parametrize(
    "name", ["population", "people", "epsilon", "delta", "contribution", "neighbours", "caps"]
)
def test_nothing_that_decides_privacy_has_a_default(tmp_path: Path, name: str) -> None:
    (fault,) = faults(tmp_path, without(name))
    assert fault.startswith(f"privacy_loss.{name}: ")


@pytest.mark.parametrize(
    ("policy", "fault"),
    [
        (loss(epsilon=0.0), "privacy_loss.epsilon: "),
        (loss(epsilon=-1.0), "privacy_loss.epsilon: "),
        (loss(contribution=0), "privacy_loss.contribution: "),
        (
            loss(delta=0.01),
            "privacy_loss: δ above 1 in 200 people may give away a whole person; write at most 0.005",
        ),
        (
            loss(delta=0.0),
            "privacy_loss: caps.overall: δ is 0 here or there only, but losses of both kinds have no common sum; write 0 in all, or in none",
        ),
        (
            loss(epsilon=2.5),
            "privacy_loss: caps.recipient is below the loss of this one release; raise it, or lower ε or δ",
        ),
        (
            loss(keys_delta=1e-5),
            "privacy_loss: keys_delta is a part of delta; write less than delta, such as a half of it",
        ),
        (
            column("age", type="string"),
            "columns.age.type: a domain of numbers needs type integer or number; correct one of them",
        ),
        (
            column("name", domain={"kind": "categories", "values": ["a"]}),
            "columns.name.domain: a direct identifier has no public domain, and nothing is measured of it; remove it",
        ),
        (
            column("age", domain={"kind": "numbers", "bounds": [90, 10]}),
            "columns.age.domain: bounds are two finite numbers, the least value first",
        ),
        (
            said(privacy_unit={"column": "patiens"}),
            "privacy_unit.column: no such column under columns; did you mean patient?",
        ),
        (
            said(privacy_unit={"each_row_is_a_person": True}),
            "privacy_loss.contribution: each row is a person, who has no second one; write 1",
        ),
        (
            said(synthetic=SYNTHETIC, statistics=[{"name": "n", "measure": "people"}]),
            "say what is released: ",
        ),
        (said(statistics=[]), "say what is released: "),
        (
            said(thresholds={"half_width": {"patiens": 3.0}}),
            "thresholds.half_width.patiens: no such statistic; did you mean patients?",
        ),
        (
            said(thresholds={"marginal_error": 0.1}),
            "thresholds.marginal_error: only a synthetic table has marginals; remove it",
        ),
        (
            said(statistics=[{"name": "n", "measure": "count", "by": ["zip"]}]),
            "statistics: statistic n: column zip has no domain",
        ),
        (
            said(statistics=[{"name": "n", "measure": "count", "by": ["sex"], "keys": "found"}]),
            "statistics: statistic n: keys that are found need a part of δ",
        ),
        (
            said(synthetic={**SYNTHETIC, "target": "diagnosis"}),
            "synthetic: synthesis: the target diagnosis has no domain",
        ),
        (
            column("stay", domain={"kind": "categories", "values": ["short", "long"]}, type="string"),
            "statistics: statistic stay: mean needs a column of numbers",
        ),
    ],
    ids=lambda value: re.sub(r"\W+", " ", value)[:40] if isinstance(value, str) else "",
)
def test_faults_are_told_at_their_place(tmp_path: Path, policy: dict[str, Any], fault: str) -> None:
    found = faults(tmp_path, policy)
    assert [line for line in found if line.startswith(fault)], found


def test_an_unnamed_column_stops_the_run(tmp_path: Path) -> None:
    policy = said()
    del policy["columns"]["zip"]
    (fault,) = faults(tmp_path, policy)
    assert "the source has a column zip that the policy does not name" in fault


def test_the_hash_is_of_what_is_said(tmp_path: Path) -> None:
    first = load_any_policy(make_private_clinic(tmp_path))
    assert isinstance(first, DPPolicy)
    again = load_any_policy(make_private_clinic(tmp_path, name="again.yaml"))
    other = load_any_policy(make_private_clinic(tmp_path, name="other.yaml", privacy_loss={"epsilon": 0.9}))
    assert first.hash == again.hash != other.hash


def test_pure_differential_privacy_needs_no_delta(tmp_path: Path) -> None:
    file = make_private_clinic(
        tmp_path, privacy_loss={"delta": 0.0, "caps": {"overall": ZERO, "recipient": ZERO}}
    )
    planned = plan(file)
    assert {each.noise for each in planned.expected} == {"Laplace"}


def test_the_schema_knows_every_section() -> None:
    """An editor completes what the loader takes."""
    parts = json.loads(json_schema())["$defs"]
    assert set(DPPolicy.model_fields) == set(parts["DPPolicy"]["properties"])
    assert set(yaml.safe_load(COMMON)) <= set(parts["DPPolicy"]["properties"])
