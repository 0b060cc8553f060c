"""The policy as a value: its hash, its schema, and that nothing changes it."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from pydantic import ValidationError

from anon_platform.policy import json_schema, load_policy
from anon_platform_tests.clinic import POLICY, make_clinic

SHIPPED = Path(__file__).parents[2] / "policies"


def test_comments_and_the_order_of_keys_do_not_change_the_hash(tmp_path: Path) -> None:
    """A release belongs to what a policy says, not to how it is written."""
    first = load_policy(make_clinic(tmp_path / "a")).hash
    second = make_clinic(tmp_path / "b")
    policy = yaml.safe_load(second.read_text())
    second.write_text("# reviewed\n" + yaml.safe_dump(dict(reversed(policy.items())), sort_keys=False))
    assert load_policy(second).hash == first


@pytest.mark.parametrize(
    ("old", "new"),
    [("k: 3", "k: 4"), ("seed: 1", "seed: 2"), ("top: 90", "top: 80"), ("fidelity: 0.4", "fidelity: 0.5")],
)
def test_every_setting_changes_the_hash(tmp_path: Path, old: str, new: str) -> None:
    """Two policies that differ must not share a release."""
    first = load_policy(make_clinic(tmp_path)).hash
    assert old in POLICY
    (tmp_path / "clinic.yaml").write_text(POLICY.replace(old, new))
    assert load_policy(tmp_path / "clinic.yaml").hash != first


def test_a_hierarchy_counts_by_what_its_file_says_not_by_where_it_lies(tmp_path: Path) -> None:
    """A policy checked out elsewhere is the same policy; an edited hierarchy is another one."""
    hashes = []
    for folder, text in (("a", "F;*\nM;*\n"), ("b", "F;*\nM;*\n"), ("c", "F;x;*\nM;x;*\n")):
        file = make_clinic(tmp_path / folder)
        file.write_text(POLICY.replace("hierarchy: {kind: flat}", "hierarchy: {kind: csv, file: sex.csv}"))
        (file.parent / "sex.csv").write_text(text)
        hashes.append(load_policy(file).hash)
    assert hashes[0] == hashes[1] != hashes[2]


def test_a_policy_cannot_be_changed_after_it_was_read(tmp_path: Path) -> None:
    """What was checked is what runs."""
    policy = load_policy(make_clinic(tmp_path))
    with pytest.raises(ValidationError):
        policy.thresholds.k = 1  # type: ignore[misc]


def test_the_json_schema_accepts_every_shipped_policy_and_refuses_faulty_ones() -> None:
    """An editor must not underline what runs, and must underline what does not."""
    schema = json.loads(json_schema())
    for file in SHIPPED.glob("*.yaml"):
        jsonschema.validate(yaml.safe_load(file.read_text()), schema)
        assert file.read_text().startswith("# yaml-language-server: $schema=policy.schema.json\n")
    for old, new in (
        ("k: 3", "k: three"),
        ("owner:", "ownr:"),
        ("kind: flat", "kind: flatt"),
        ("[parquet, csv]", "[json]"),
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(yaml.safe_load(POLICY.replace(old, new)), schema)


def test_the_demo_policy_is_the_one_of_the_story() -> None:
    """The combination that was forgotten, and the thresholds that were promised."""
    policy = load_policy(SHIPPED / "hospital_encounters.yaml")
    assert policy.quasi_identifiers == ["age", "sex", "race", "zip", "diag_1", "admission_ts"]
    assert policy.sensitive == ["diag_2", "A1Cresult"]
    wanted = policy.thresholds
    assert (wanted.k, wanted.l, wanted.max_risk, wanted.model_loss) == (5, 2, 0.2, 0.15)
    assert policy.columns["note_text"].suppressed
    assert policy.columns["patient_id"].suppressed
