"""The clauses of a regulation in the report, which a privacy officer signs."""

import html
import re
from pathlib import Path

from anon_platform.publish.report import page
from anon_platform_tests.publish.releases import Values, harbored, released

GOLDEN = Path(__file__).with_name("safe_harbor_section.txt")


def section(case: tuple[Values, Values], name: str = "hipaa_safe_harbor") -> str:
    """What a reader sees of a regulation's section, one row or sentence a line."""
    found = re.search(
        rf'<section class="regulation" aria-labelledby="{name}">.*?</section>', page(*case), re.DOTALL
    )
    assert found is not None
    text = re.sub(r"<svg.*?</svg>", "", found[0], flags=re.DOTALL)
    text = re.sub(r"\s*\n\s*", " ", text)
    text = re.sub(r"</(?:h2|h3|p|tr)>|<ul class=\"boxes[^>]*>|<div class=\"statement\">", "\n", text)
    text = re.sub(r"</t[hd]>\s*(?=<t[hd])", " | ", text)
    text = re.sub(r"</li>", "; ", text)
    lines = (
        html.unescape(re.sub(r"<[^>]+>", "", line)).strip().removesuffix(";") for line in text.splitlines()
    )
    return "\n".join(line for line in lines if line) + "\n"


def test_the_section_reads_as_it_should() -> None:
    """Clause, citation, verdict, why, what was looked at; then what whoever signs decides. Read the file when it changes."""
    assert section(harbored()) == GOLDEN.read_text(encoding="utf-8")


def test_a_report_without_a_regulation_has_no_such_section() -> None:
    """Nothing is said of rules that nobody named."""
    assert 'class="regulation"' not in page(*released())


def test_a_failed_clause_is_a_reason_on_the_first_screen_and_no_row_of_the_checks() -> None:
    """The section has it; a second table of nineteen rows would hide the other checks."""
    text = page(*harbored())
    first, rest = text.split('<h2 id="checks">')
    assert (
        "45 CFR 164.514(b)(2)(i)(C): Elements of dates but the year, and ages over 89: 1</strong>, where none"
        in first
    )
    assert "164.514" not in rest.split("</section>")[0]
