"""What README and docs promise is run and compared: a newcomer types exactly this."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
BLOCKS = re.findall(r"```sh\n(.*?)```", (PROJECT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
COMMANDS = [line.split("#")[0].strip() for block in BLOCKS for line in block.splitlines() if line.strip()]
ROWS = 12_000


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the project as a newcomer has them, and the environment that is installed already."""
    folder = tmp_path_factory.mktemp("newcomer") / "anon_platform"
    made_here = shutil.ignore_patterns(
        ".git", ".venv", ".anon", "__pycache__", ".*_cache", ".hypothesis", "*.egg-info"
    )
    shutil.copytree(PROJECT, folder, ignore=made_here)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    return folder


def typed(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs a command of the README as typed; `make` does not install again what is installed."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("ANON_", "PG", "DAGSTER"))
    }
    if command.startswith("make "):
        command = command.replace("make ", f"make -o .venv/.uv -o .venv/.core -o .venv/.dev ROWS={ROWS} ", 1)
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**environment, "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_the_readme_has_the_commands_that_this_file_runs() -> None:
    """A new command in the README needs a place in the order below."""
    assert COMMANDS == [
        "make demo",
        "make test",
        ".venv/bin/anon check policies/hospital_encounters.yaml",
        ".venv/bin/anon run policies/hospital_encounters.yaml",
        ".venv/bin/anon releases",
        ".venv/bin/anon show hospital_encounters",
        ".venv/bin/anon run policies/readmission_statistics.yaml",
        ".venv/bin/anon run policies/encounters_dp_synthetic.yaml",
        ".venv/bin/anon budget",
        ".venv/bin/anon audit verify",
    ]


def test_a_newcomer_types_every_command_of_the_readme(checkout: Path) -> None:
    """In the README's order, on a smaller demo; `make test` is what runs this, so it is only asked for its plan."""
    for command in COMMANDS:
        done = typed("make -n test" if command == "make test" else command, checkout)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        if command == "make demo":
            assert "patients share every combination" in done.stdout
            assert "report.html" in done.stdout
            assert "make ui" in done.stdout
    again = typed("make demo", checkout)
    assert again.returncode == 0
    assert "searching levels" not in again.stdout  # nothing is done twice
    (release,) = (checkout / ".anon" / "releases" / "hospital_encounters").iterdir()
    assert typed(f".venv/bin/anon verify {release}", checkout).returncode == 0


def test_every_link_of_readme_and_docs_leads_somewhere() -> None:
    """A dead link costs trust."""
    for page in [PROJECT / "README.md", *(PROJECT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_policy_reference_is_what_the_code_says() -> None:
    """`make schema` was run after the last change of the policy."""
    done = subprocess.run(
        [sys.executable, "scripts/policy_reference.py", "--check"], cwd=PROJECT, check=False
    )
    assert done.returncode == 0, "docs/policy.md is out of date; run: make schema"
