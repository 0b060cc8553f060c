"""Every fault of a policy, all at once, each with file, line, column and what to write instead."""

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
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
    "a review of no notes": (", model_loss: 1.0", ", model_loss: 1.0, reviewed_recall: 0.98"),
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


WHOLE = sorted(Path(__file__).with_name("golden").glob("*.yaml"))
"""Whole policies, each with many faults of one sort; what is said of them stands beside, in a text file."""


@pytest.mark.parametrize("file", WHOLE, ids=[file.stem for file in WHOLE])
def test_many_faults_are_told_at_once_each_at_its_own_node(file: Path) -> None:
    """Through unions, lists of steps, anchors and merges: the text under a fault is where line and column point."""
    lines = file.read_bytes().decode("utf-8").removeprefix("\ufeff").splitlines()
    told = []
    try:
        load_policy(file)
    except FaultyPolicyError as error:
        for fault in error.faults:
            told.append(fault.text(file).removeprefix(f"{file}:"))
            told += [
                f"    {line[fault.column - 1 :][:60].rstrip()}" for line in lines[fault.line - 1 : fault.line]
            ]
    assert "\n".join(told or ["no fault"]) + "\n" == file.with_suffix(".txt").read_text(encoding="utf-8")


def test_every_golden_text_has_its_policy() -> None:
    """A text that is left over would look as if it were tested."""
    assert {file.stem for file in WHOLE} == {file.stem for file in WHOLE[0].parent.glob("*.txt")}


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
SOUND = WHOLE[0].with_name("sound.yaml").read_text(encoding="utf-8")


def places(value: object, at: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """Paths of all values of a parsed policy."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *[path for key, item in inner for path in places(item, (*at, key))]][bool(not at) :]


def said_of(text: str, folder: Path) -> str:
    """The message of the policy with this text, none if it is sound. Whatever is not a `PolicyError` is raised."""
    file = folder / "p.yaml"
    file.write_text(text, encoding="utf-8")
    (folder / "sex.csv").write_text("F;person\nM;person\n", encoding="utf-8")
    try:
        plan(file)
    except PolicyError as error:
        return str(error)
    return ""


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(places(yaml.safe_load(SOUND))), min_size=1, max_size=3),
    st.sampled_from(
        [PASTED, [PASTED], {"key": PASTED}, [{"technique": PASTED}], 7, -1.5, None, True, "", [], {}]
    ),
)
def test_no_message_quotes_a_value(tmp_path: Path, spots: list[tuple[object, ...]], value: object) -> None:
    """A key may be pasted at any place by mistake, and the logs of a run are read by many.

    Keys may be told, among them names of columns, and so may the two paths of files, without which nobody finds them.
    """
    policy = yaml.safe_load(SOUND)
    for at in spots:
        node = policy
        for part in at[:-1]:
            node = node.get(part) if isinstance(node, dict) else node
        if isinstance(node, dict) and at[-1] not in ("path", "file"):
            node[at[-1]] = value
    assert PASTED not in said_of(yaml.safe_dump(policy), tmp_path)


NODES = [event for event in yaml.parse(SOUND) if isinstance(event, yaml.ScalarEvent) and event.value]


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(NODES),
    st.sampled_from(
        [
            "{}",
            "'{}",
            '"{}',
            "!{} x",
            "!!int {}",
            "*{}",
            "&{} x",
            "@{}",
            "|{}",
            "[{}",
            "{{a: {}",
            "\t{}",
            "`{}",
        ]
    ),
)
def test_no_message_about_broken_syntax_quotes_what_stands_there(
    tmp_path: Path, node: yaml.ScalarEvent, shape: str
) -> None:
    """The YAML library quotes tags and numbers of its own accord; keys may be told."""
    begin, end = node.start_mark.index, node.end_mark.index
    said = said_of(SOUND[:begin] + shape.format(PASTED) + SOUND[end:], tmp_path)
    key = SOUND[end : end + 1] == ":"
    path = SOUND[:begin].rstrip().endswith(("path:", "file:"))
    assert key or path or PASTED not in said


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=60)
    | st.text(st.sampled_from("a1:-[]{},&*!|>'\"%@?#~\n \t\r\u2028\x00<.=")).map(str.encode)
)
def test_whatever_the_bytes_nothing_but_a_policy_error_is_raised(tmp_path: Path, content: bytes) -> None:
    """One broken file must not take the other datasets of a code location down."""
    file = tmp_path / "p.yaml"
    file.write_bytes(content)
    with pytest.raises(PolicyError):
        load_policy(file)
    assert dataset_name(file)


ENDLESS = {
    "an anchor in itself": "title: &a [*a]",
    "a merge of itself": "title: &a {<<: *a}",
    "a chain of merges": "a0: &a0 {x: 1}\n" + "".join(f"a{i}: &a{i} {{<<: *a{i - 1}}}\n" for i in range(1, 500)),
    "merges that multiply": "a0: &a0 {x: 1}\n" + "".join(f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}\n" for i in range(1, 40)),
    "lists that multiply": "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 40)),
    "brackets without end": "title: " + "[" * 300_000,
    "braces without end": "title: " + "{a: " * 300_000,
    "dashes without end": "title:\n  " + "- " * 300_000,
}  # fmt: skip


@pytest.mark.parametrize("name", ENDLESS)
def test_a_file_that_would_never_end_is_a_fault(tmp_path: Path, name: str) -> None:
    """The library composes nodes by recursion: without a limit 200,000 brackets end the process with a segmentation fault."""
    file = tmp_path / "p.yaml"
    file.write_text(ENDLESS[name])
    message = "an anchor contains itself|nested too deeply|too many values, anchors multiply them"
    with pytest.raises(PolicyError, match=rf"p\.yaml:\d+:\d+ not valid YAML: ({message})$"):
        load_policy(file)


def test_a_folder_in_place_of_a_policy_is_told(tmp_path: Path) -> None:
    """With the operating system's reason."""
    with pytest.raises(
        PolicyError, match=rf"^cannot read policy {re.escape(str(tmp_path))}: Is a directory$"
    ):
        load_policy(tmp_path)
