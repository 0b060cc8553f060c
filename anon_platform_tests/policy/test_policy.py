"""The policy as a value: what makes two policies the same, what nothing can change, and what editors are told of it."""

import copy
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from anon_platform.errors import PolicyError
from anon_platform.policy import Policy, json_schema, load_any_policy, load_policy
from anon_platform.policy.cron import cron_fault
from anon_platform.policy.yaml_nodes import parse

HERE = Path(__file__).parent / "golden"
SHIPPED = sorted((Path(__file__).parents[2] / "policies").glob("*.yaml"))
SOUND = (HERE / "sound.yaml").read_text(encoding="utf-8")


def load(policy: object, folder: Path) -> Policy:
    """The policy that says this, from a file in `folder` beside its hierarchy."""
    folder.mkdir(exist_ok=True)
    shutil.copy(HERE / "sex.csv", folder)
    file = folder / "p.yaml"
    file.write_text(policy if isinstance(policy, str) else yaml.safe_dump(policy, sort_keys=False))
    return load_policy(file)


def spelled_out() -> Any:
    """The sound policy as plain values, nothing in it shared by anchors."""
    return json.loads(json.dumps(yaml.safe_load(SOUND)))


def leaves(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all values that hold no others."""
    if isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, (*at, key))
    else:
        yield at


def with_value(policy: Any, at: tuple[Any, ...], value: Any) -> Any:
    """A copy of the policy with another value at one place."""
    changed = copy.deepcopy(policy)
    node = changed
    for part in at[:-1]:
        node = node[part]
    node[at[-1]] = value
    return changed


def reordered(value: Any, rng: Any) -> Any:
    """The same mappings with their keys in another order; lists keep theirs."""
    if isinstance(value, dict):
        keys = list(value)
        rng.shuffle(keys)
        return {key: reordered(value[key], rng) for key in keys}
    return [reordered(item, rng) for item in value] if isinstance(value, list) else value


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False))
def test_comments_and_the_order_of_keys_do_not_matter(tmp_path: Path, rng: Any) -> None:
    """A tidied-up policy is the same policy: its releases are found again, not made anew."""
    shuffled = yaml.safe_dump(reordered(spelled_out(), rng), sort_keys=False)
    again = load("# tidied up\n" + shuffled.replace("\n", "   # so\n", 1), tmp_path)
    assert again == load(SOUND, tmp_path)
    assert again.canonical() == load(SOUND, tmp_path).canonical()
    assert again.hash == load(SOUND, tmp_path).hash


OTHER = {
    "format": "parquet", "separator": "|", "key": "other", "prefix": "X",
    "cron": "5 4 * * *", "timezone": "UTC", "file": "other.csv", "type": "datetime",
    "widths": [5, 15, 45], "features": ["age"], "formats": ["csv"], "required": False,
    "enhanced": False, "knows": ["age", "sex"], "replace_by": "median", "row": "name", "invariant": False,
    "keep": [6, 4], "whole": False, "sizes": [2, 6], "coarsest": "10", "characters": "digits", "known_from": ["name"], "language": "es", "model": True, "second_model": None, "label": "OTHER", "name": "other", "distribution": "uniform", "like": "place", "pdf": False,
    "confidence": 0.95, "in_years": [2006, 2008], "one": ["age"], "other": ["zip"], "secrets": ["result"],
    "known": ["sex"], "columns": ["age", "sex", "cause"],
    "learners": ["gradient_boosting"], "mode": "analytics", "average": "grade", "group_by": "race",
    "since": "2020-02-02", "before": "2021-02-02",
    "measure": "maximum risk", "held_on": "2026-02-04", "sharing_model": "enclave", "trust_model": "local",
    **dict.fromkeys((
        "original_retained", "treated_as_personal_data", "keys_kept_apart", "keys_for_this_recipient_only",
        "contract_forbids_reidentification", "public_commitment", "patient_information", "privacy_notice_names_method",
        "contract_of_ab_713", "reidentification_excluded", "anonymisation_report",
    ), False),
}  # fmt: skip
"""Another value for a setting that not every text or number would do for."""

SETTINGS = sorted({at[:-1] if isinstance(at[-1], int) else at for at in leaves(spelled_out())}, key=str)

ALONE = (
    "small_prefixes",
    "regulation",
    "column",
    "version",
    "technique",
    "kind",
    "level",
    "levels",
    "role",
    "model",
    "distance",
)
"""Settings that cannot change alone, or not to anything else."""


def test_every_setting_makes_another_policy(tmp_path: Path) -> None:
    """A setting that the hash forgot would let a changed policy find the release of the old one."""
    policy = spelled_out()
    (tmp_path / "other.csv").write_text("F;person;*\nM;person;*\n")
    seen = {load(policy, tmp_path).hash}
    for at in SETTINGS:
        node = policy
        for part in at:
            node = node[part]
        text = [*node, "x"] if isinstance(node, list) else f"{node}x"
        changed = OTHER.get(
            at[-1], node / 2 if isinstance(node, float) else node + 1 if isinstance(node, int) else text
        )
        if at[-1] not in ALONE and at != (
            "columns",
            "note",
            "treat",
            "replace_by",
        ):  # which needs a key, or none
            found = load(with_value(policy, at, changed), tmp_path).hash
            assert found not in seen, at
            seen.add(found)
    bound = {
        ("privacy_unit", "column"): "visit",
        ("model", "target", "column"): "zip",
        ("columns", "name", "role"): "location",
        ("columns", "stay", "role"): "sensitive",
        ("columns", "diagnosis", "treat", "level"): "chapter",
        ("columns", "zip", "treat", "hierarchy", "levels"): ["zip3"],
        ("columns", "zip", "treat", "hierarchy"): {"kind": "flat"},
        ("columns", "zip", "treat", "hierarchy", "small_prefixes"): None,
        ("columns", "at", "treat"): {"technique": "suppress"},
        ("regulation",): [],
    }
    hashes = {load(with_value(policy, at, changed), tmp_path).hash for at, changed in bound.items()}
    assert len(hashes - seen) == len(bound)


def reachable(parts: dict[str, object], found: set[str]) -> set[str]:
    """These parts of a JSON Schema, and all that they refer to."""
    named = {name for part in found for name in re.findall(r'"#/\$defs/(\w+)"', json.dumps(parts[part]))}
    return found if named <= found else reachable(parts, found | named)


def test_the_sound_policy_says_everything_that_can_be_said() -> None:
    """Else the test above would miss a new setting."""
    schema = json.loads(json_schema())
    parts = reachable(schema["$defs"], {"Policy", "TablesPolicy"})  # of the third kind: see test_dp_policy.py
    known = {name for part in parts for name in schema["$defs"][part].get("properties", {})}
    said = {part for at in leaves(spelled_out()) for part in at}
    unsaid = {"engine", "memory_limit"}  # no part of the hash; see test_engine_settings.py
    unsaid |= {"tables", "person", "people", "references"}  # of several tables; see test_tables_policy.py
    assert known - said - unsaid == {
        "each_row_is_a_person",
        "keep_first",
        "alphabetical",
        "unique_records",
        "linked",
        "one_row",
        "ascending",
        "cuts",
        "named",
        "matrix",
        "redact",
        "labels",
        "effort",
        "mondrian",
        "split",
        "strict",
        "scale",
        "table",
        "known_events",
        "known_events_unique",
    }  # the other half of a choice


def test_a_setting_that_is_left_out_is_the_same_as_its_default(tmp_path: Path) -> None:
    """Else adding `required: false` would make a release anew."""
    policy = spelled_out()
    explicit = with_value(policy, ("columns", "stay", "required"), False)  # noqa: FBT003
    assert load(explicit, tmp_path).hash == load(policy, tmp_path).hash


def test_one_step_and_a_list_of_one_step_are_the_same(tmp_path: Path) -> None:
    """Both ways of writing `treat` mean one thing."""
    policy = spelled_out()
    listed = with_value(policy, ("columns", "sex", "treat"), [policy["columns"]["sex"]["treat"]])
    assert load(listed, tmp_path).hash == load(policy, tmp_path).hash


def test_the_folder_of_a_hierarchy_does_not_matter_its_content_does(tmp_path: Path) -> None:
    """A release is made again on another machine; a line added to the hierarchy is another policy."""
    here, there = load(SOUND, tmp_path / "here"), load(SOUND, tmp_path / "there")
    assert here.hash == there.hash
    below = with_value(spelled_out(), ("columns", "race", "treat", "hierarchy", "file"), "below/sex.csv")
    (tmp_path / "below").mkdir()
    shutil.copy(HERE / "sex.csv", tmp_path / "below")
    assert load(below, tmp_path).hash == here.hash
    with (tmp_path / "there" / "sex.csv").open("a") as file:
        file.write("X;person;*\n")
    assert load_policy(tmp_path / "there" / "p.yaml").hash != here.hash


def test_the_canonical_form_is_one_line_of_json_without_paths_of_the_machine(tmp_path: Path) -> None:
    """It goes into manifests, which leave the house."""
    text = load(SOUND, tmp_path).canonical()
    assert "\n" not in text
    assert str(tmp_path) not in text
    assert json.loads(text)["columns"]["age"]["treat"][1]["hierarchy"]["widths"] == [5, 10, 20]


def test_a_policy_never_changes_after_it_was_read(tmp_path: Path) -> None:
    """What was checked is what is run: no attribute can be set, no list is in it."""
    policy = load(SOUND, tmp_path)
    seen: list[object] = [policy]
    while seen:
        value = seen.pop()
        assert not isinstance(value, (list, set)), value
        if isinstance(value, BaseModel):
            for name in type(value).model_fields:
                with pytest.raises(ValidationError, match="frozen"):
                    setattr(value, name, None)
                seen.append(getattr(value, name))
        elif isinstance(value, (tuple, dict)):
            seen += value.values() if isinstance(value, dict) else value


def test_what_leaves_and_in_which_role(tmp_path: Path) -> None:
    """The lists that every stage works with: suppressed columns are in none of them."""
    policy = load(SOUND, tmp_path)
    assert {"visit", "patient", "name"}.isdisjoint(policy.released)
    assert policy.released[:3] == ["record", "phone", "age"]
    assert policy.quasi_identifiers == ["age", "sex", "zip", "admitted", "cause", "race"]
    assert policy.sensitive == ["diagnosis", "result", "grade"]
    assert policy.file == tmp_path / "p.yaml"
    assert policy.source.location == tmp_path / "source"


@pytest.mark.parametrize(
    "word", ["NO", "No", "no", "on", "Off", "y", "N", "Yes", "TRUE", "1:30", "010", "0x1F", "2008-12-25", "="]
)
def test_words_that_yaml_once_took_for_something_else_stay_texts(tmp_path: Path, word: str) -> None:
    """Norway's NO is a category and 010 is no eight: what means nothing for sure is a text, and texts are no thresholds."""
    policy = load(SOUND.replace('positive: "true"', f"positive: {word}"), tmp_path)
    assert policy.model is not None
    assert policy.model.target.positive == word
    with pytest.raises(PolicyError, match=r"thresholds\.k: write a whole number, without quotes"):
        load(SOUND.replace("\n  k: 3\n", f"\n  k: {word}\n"), tmp_path)


@pytest.mark.parametrize(
    ("written", "read"), [("1", 1.0), ("0.5", 0.5), (".5", 0.5), ("5e-1", 0.5), ("1.", 1.0), ("0", 0.0)]
)
def test_numbers_are_those_of_yaml_1_2(tmp_path: Path, written: str, read: float) -> None:
    """Among them the exponents that YAML 1.1 took for texts."""
    assert load(SOUND.replace("fidelity: 0.4", f"fidelity: {written}"), tmp_path).thresholds.fidelity == read


@pytest.mark.parametrize(
    "written", ["true", '"0.4"', "null", "yes", "40%", ".inf", ".nan", "[0.4]", "1.1", "-0.1"]
)
def test_a_threshold_is_a_number_and_nothing_that_could_pass_for_one(tmp_path: Path, written: str) -> None:
    """`fidelity: true` would be a threshold of 1, which everything meets."""
    with pytest.raises(PolicyError, match=r"thresholds\.fidelity: write"):
        load(SOUND.replace("fidelity: 0.4", f"fidelity: {written}"), tmp_path)


fields = st.lists(
    st.one_of(
        st.just("*"),
        st.integers(0, 61).map(str),
        st.tuples(st.integers(0, 32), st.integers(0, 32)).map(lambda pair: f"{pair[0]}-{pair[1]}"),
        st.tuples(st.sampled_from(["*", "1-20", "7", "0-6"]), st.integers(0, 61)).map(
            lambda pair: f"{pair[0]}/{pair[1]}"
        ),
        st.sampled_from(
            ["jan", "FEB", "mon-fri", "sun", "L", "?", "", "1#2", "x", "1-", "-1", "٣", "monday"]
        ),
    ),
    min_size=1,
    max_size=3,
).map(",".join)


@settings(max_examples=400)
@given(st.tuples(fields, fields, fields, fields, fields).map(" ".join))
def test_a_schedule_that_passes_is_one_that_dagster_can_keep(cron: str) -> None:
    """A cron line that Dagster refuses would take down the code location, with every dataset in it."""
    from dagster._utils.schedules import is_valid_cron_string

    if cron_fault(cron) is None:
        assert is_valid_cron_string(cron)


@pytest.mark.parametrize(
    "cron", ["* * * * *", "0 3 * * 1", "*/15 8-18 * * mon-fri", "0 0 1,15 * *", "0 0 31 1 *", "0 0 29 feb 7"]
)
def test_usual_schedules_pass(cron: str) -> None:
    """What people write."""
    assert cron_fault(cron) is None


@pytest.mark.parametrize("cron", ["0 0 30 2 *", "0 0 31 4,6 *"])
def test_a_day_that_no_month_has_is_refused(cron: str) -> None:
    """A schedule that never fires looks like one that works."""
    assert cron_fault(cron) == "none of these months has such a day, so that no release would ever be made"


def as_lists(value: Any) -> Any:
    """A parsed policy with lists for tuples, as JSON has them."""
    if isinstance(value, dict):
        return {key: as_lists(item) for key, item in value.items()}
    return [as_lists(item) for item in value] if isinstance(value, tuple) else value


jsonschema = pytest.importorskip("jsonschema")
VALIDATOR = jsonschema.Draft202012Validator(json.loads(json_schema()))


def underlined(text: str) -> list[str]:
    """What an editor that knows the policy's JSON Schema says of a policy."""
    return [error.message for error in VALIDATOR.iter_errors(as_lists(parse(text).value))]


def test_the_json_schema_is_one() -> None:
    """An editor ignores a schema that is not sound itself."""
    jsonschema.Draft202012Validator.check_schema(json.loads(json_schema()))


@pytest.mark.parametrize("file", [*SHIPPED, HERE / "sound.yaml"], ids=lambda file: file.stem)
def test_the_json_schema_accepts_sound_policies(file: Path) -> None:
    """An editor must not underline what `anon check` accepts."""
    assert underlined(file.read_text(encoding="utf-8")) == []
    load_any_policy(file)


@pytest.mark.parametrize(
    "name",
    ["unknown_keys", "missing_keys", "wrong_types", "hierarchies", "steps", "no_columns", "words", "unicode"],
)
def test_the_json_schema_refuses_broken_policies(name: str) -> None:
    """What has the wrong shape is underlined while it is typed."""
    assert underlined((HERE / f"{name}.yaml").read_text(encoding="utf-8-sig"))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(
        [at for at in leaves(spelled_out()) if at != ("version",)]
    ),  # to Python 1 and true are equal
    st.sampled_from(
        ["x", "age", "", 0, 1, 7, 0.5, -1, True, None, [], {}, ["csv"], {"kind": "flat"}, "zip3", "year"]
    ),
)
def test_whatever_loads_the_json_schema_accepts(tmp_path: Path, at: tuple[Any, ...], value: object) -> None:
    """The schema knows less than the loader (files, columns, rules), and never more."""
    policy = with_value(spelled_out(), at, value)
    try:
        load(policy, tmp_path)
    except PolicyError:
        return
    assert underlined(yaml.safe_dump(policy)) == []
