"""Every fault of a policy, all at once, each with file, line, column and what to write instead."""

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_platform.errors import PolicyError
from anon_platform.pipeline import plan
from anon_platform.policy import FaultyPolicyError, dataset_name, load_policy
from anon_platform_tests.clinic import POLICY, make_clinic

CASES = {
    "a threshold in words": ("k: 3,", "k: five,"),
    "a threshold in quotes": ("k: 3,", 'k: "3",'),
    "k of one": ("k: 3,", "k: 1,"),
    "a risk above one": ("max_risk: 0.34", "max_risk: 34"),
    "no k": ("k: 3, ", ""),
    "no l": ("l: 2, ", ""),
    "no limit of the risk": ("max_risk: 0.34, ", ""),
    "no limit of suppression": ("suppressed_records: 0.2, ", ""),
    "no limit of the model's loss": (", model_loss: 1.0", ""),
    "a misspelt threshold": ("max_risk: 0.34", "max_risc: 0.34"),
    "a direct identifier that would leave": ("name: {role: direct_identifier, treat: {technique: suppress}}", "name: {role: direct_identifier}"),
    "free text without treatment": ("result: {role: sensitive}", "result: {role: free_text}"),
    "an unknown role": ("sex: {role: quasi_identifier,", "sex: {role: quasi,"),
    "an unknown technique": ("name: {role: direct_identifier, treat: {technique: suppress}}", "name: {role: direct_identifier, treat: {technique: supress}}"),
    "an unknown hierarchy": ("hierarchy: {kind: flat}", "hierarchy: {kind: flatt}"),
    "widths that do not nest": ("widths: [5, 10, 20, 40]", "widths: [5, 12]"),
    "levels from coarse to fine": ("levels: [month, quarter, year]", "levels: [year, month]"),
    "a fixed level for a quasi-identifier": ("{technique: generalize, hierarchy: {kind: flat}}", "{technique: generalize, level: value, hierarchy: {kind: flat}}"),
    "a searched level for a sensitive column": ("result: {role: sensitive}", "result: {role: sensitive, treat: {technique: generalize, hierarchy: {kind: flat}}}"),
    "a person key that would leave": ("patient: {role: direct_identifier, treat: {technique: suppress}}", "patient: {role: insensitive}"),
    "both kinds of privacy unit": ("{column: patient, name: patient}", "{column: patient, each_row_is_a_person: true}"),
    "a feature that does not leave": ("features: [age,", "features: [name,"),
    "the target among the features": ("features: [age,", "features: [again,"),
    "one word where a list belongs": ("formats: [parquet, csv]", "formats: parquet"),
    "a key that stands twice": ("title: Visits of a clinic", "title: Visits of a clinic\ntitle: Again"),
    "no owner": ("owner: privacy@clinic.example\n", ""),
    "a mask that keeps nothing": ("result: {role: sensitive}", "result: {role: sensitive, treat: {technique: mask}}"),
}  # fmt: skip
"""By name: a text of the sound policy, and what stands there instead."""

GOLDEN = Path(__file__).with_name("faults.txt")
"""What is said of each case, and the text of the policy that line and column point at."""


def faults_of(text: str, folder: Path) -> list[str]:
    """The faults of a policy text, without the file's name."""
    file = folder / "p.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FaultyPolicyError) as caught:
        load_policy(file)
    return [line.removeprefix(f"{file}:") for line in str(caught.value).splitlines()]


def told(folder: Path) -> str:
    """All cases with their faults, as the golden file has them."""
    parts = []
    for name, (old, new) in CASES.items():
        assert POLICY.count(old) == 1, name
        text = POLICY.replace(old, new)
        parts.append(f"# {name}")
        for fault in faults_of(text, folder):
            line, column = (int(number) for number in fault.split(" ")[0].split(":"))
            parts += [fault, f"    {text.splitlines()[line - 1][column - 1 :][:60].rstrip()}"]
    return "\n".join(parts) + "\n"


def test_each_fault_is_named_with_its_place_and_the_way_out(tmp_path: Path) -> None:
    """An editor jumps to line and column; the reader need not look anything up. Read the file when it changes."""
    assert told(tmp_path) == GOLDEN.read_text(encoding="utf-8")


def test_the_unchanged_policy_has_no_fault(tmp_path: Path) -> None:
    """The baseline of all cases above."""
    assert load_policy(make_clinic(tmp_path)).dataset == "clinic"


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """One round of corrections, not ten; faults of parts that depend on no other faulty part."""
    text = POLICY
    for name in ("k of one", "an unknown role", "widths that do not nest", "one word where a list belongs"):
        text = text.replace(*CASES[name])
    found = [fault.split(" ")[1] for fault in faults_of(text, tmp_path)]
    assert found == ["columns.age.treat.hierarchy:", "columns.sex.role:", "thresholds.k:", "publish.formats:"]


def test_faults_of_the_source_are_told_beside_faults_of_the_policy(tmp_path: Path) -> None:
    """A misspelt column and a misspelt threshold are found in one go."""
    file = make_clinic(tmp_path)
    file.write_text(POLICY.replace("  stay: {", "  stai: {").replace("k: 3,", "k: three,"))
    with pytest.raises(FaultyPolicyError) as caught:
        plan(file)
    text = str(caught.value)
    assert "thresholds.k: write a whole number" in text
    assert "columns.stai: the source has no column stai; the source has visit, patient, name, age" in text
    assert (
        "columns: the source has a column stay that the policy does not name; add it, such as stay: {role:"
        in text
    )
    assert "model.features[4]: no such column under columns; did you mean stai?" in text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "1:1 the file holds no policy; begin with version: 1 and dataset: …"),
        (b"- a\n- b\n", "1:1 the file holds no policy"),
        (b"a: [1\nb: 2\n", "not valid YAML"),
        (b"a:\n\tb: 1\n", "not valid YAML"),
        (b"version: 1\ntitle: \xff\xfe\n", "2:8 not UTF-8; save the file as UTF-8 text"),
    ],
)
def test_what_is_no_policy_at_all_is_a_fault_too(tmp_path: Path, content: bytes, message: str) -> None:
    """Never a traceback."""
    file = tmp_path / "p.yaml"
    file.write_bytes(content)
    with pytest.raises(PolicyError, match=re.escape(message)):
        load_policy(file)


def test_a_missing_policy_file_is_told_with_an_example(tmp_path: Path) -> None:
    """A newcomer mistypes the path first."""
    with pytest.raises(
        PolicyError, match=r"no policy file .*; name one, such as policies/hospital_encounters.yaml"
    ):
        load_policy(tmp_path / "none.yaml")


def test_words_for_no_stay_words(tmp_path: Path) -> None:
    """A category NO must not become false, as YAML 1.1 has it."""
    file = make_clinic(tmp_path)
    file.write_text(POLICY.replace('positive: "yes"', "positive: NO"))
    policy = load_policy(file)
    assert policy.model is not None
    assert policy.model.target.positive == "NO"


def test_a_broken_policy_has_a_name_to_show(tmp_path: Path) -> None:
    """Dagster shows it beside the others."""
    file = tmp_path / "my-policy.yaml"
    file.write_text("dataset: fine\n")
    assert dataset_name(file) == "fine"
    file.write_text("dataset: [1]\n")
    assert dataset_name(file) == "my_policy"


PASTED = "S3cr3t-pasted-key"


def places(value: object, at: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """Paths of all values of a parsed policy."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *[path for key, item in inner for path in places(item, (*at, key))]][bool(not at) :]


@settings(max_examples=150)
@given(
    st.sampled_from(places(yaml.safe_load(POLICY))),
    st.sampled_from([PASTED, [PASTED], {PASTED: PASTED}, 7, None, True]),
)
def test_no_message_quotes_a_value_and_nothing_but_policy_errors_is_raised(
    tmp_path_factory: pytest.TempPathFactory, at: tuple[object, ...], value: object
) -> None:
    """A key may be pasted at any place by mistake; CI logs are read by many. Names of columns may be told."""
    policy = yaml.safe_load(POLICY)
    node = policy
    for part in at[:-1]:
        node = node[part]
    node[at[-1]] = value
    file = tmp_path_factory.mktemp("policy") / "p.yaml"
    file.write_text(yaml.safe_dump(policy))
    said = ""
    try:
        load_policy(file)
    except PolicyError as error:
        said = str(error)
    named = isinstance(value, dict) or at[0] in {
        "privacy_unit",
        "model",
    }  # keys and names of columns may be told
    assert named or PASTED not in said
