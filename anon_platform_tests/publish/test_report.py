"""The release report: what a privacy officer reads before signing, in a page that is complete in itself."""

import copy
import html
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from anon_platform.publish import write_report
from anon_platform.publish.report import page
from anon_platform_tests.publish.releases import (
    EVERY,
    Values,
    emptied,
    miss,
    modest,
    refused,
    released,
    unaccounted,
    untrained,
)

HOSTILE = "<script>alert('x')</script>"

VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """A page taken apart: its tags, its text, and whether every tag is closed where it should be."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == [], "tags left open"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Waits for its end."""
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """`<path/>` opens and closes at once."""
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Must close the tag opened last."""
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes another tag"

    def handle_data(self, data: str) -> None:
        """Keeps what a reader sees."""
        if self.open and self.open[-1] not in {"style", "title"}:
            self.words.append(data)

    @property
    def text(self) -> str:
        """What a reader sees, on one line."""
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Attributes of every such tag."""
        return [attributes for name, attributes in self.tags if name == tag]


def read(case: Callable[[], tuple[Values, Values]]) -> Page:
    return Page(page(*case()))


@pytest.mark.parametrize("case", EVERY)
def test_the_page_is_well_formed_and_refers_to_nothing_outside(case):
    """A report that loads something tells a stranger who reads it, and changes after it was signed."""
    text = page(*case())
    found = Page(text)
    assert found.all("html") == [{"lang": "en"}]
    addresses = re.findall(r"\w+://[^\s\"'<>)]*", text)
    assert set(addresses) <= {"http://www.w3.org/2000/svg"}
    assert not {tag for tag, _ in found.tags} & {"script", "link", "img", "iframe", "object", "form", "base"}
    for _, attributes in found.tags:
        assert not [name for name in attributes if name.startswith("on")]
        links = [
            value for name, value in attributes.items() if name in {"src", "href", "xlink:href", "action"}
        ]
        assert all(link and link.startswith("#") for link in links)
    policy = next(meta["content"] for meta in found.all("meta") if meta.get("http-equiv"))
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


@pytest.mark.parametrize("case", EVERY)
def test_every_id_is_there_once_and_every_reference_has_one(case):
    """Plots share a page; a mark that takes another plot's path would draw something else."""
    text = page(*case())
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    used = re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)|aria-labelledby="([^"]+)"', text)
    assert {name for names in used for name in names if name} <= set(ids)


def test_every_table_and_plot_can_be_read_aloud():
    """The officer may use a screen reader: headers have a scope, plots a name."""
    found = read(released)
    assert all("scope" in header for header in found.all("th"))
    plots = [svg for svg in found.all("svg") if "aria-hidden" not in svg]
    assert len(plots) == 4
    assert all(svg["role"] == "img" and svg["aria-label"] for svg in plots)
    assert len(found.all("h1")) == 1


def test_equal_input_gives_equal_bytes_in_every_process(tmp_path):
    """The manifest holds the report's hash, and a retry must find the same release; pyplot would keep figures."""
    manifest, assessment = released()
    write_report(tmp_path / "here.html", manifest=manifest, assessment=assessment)
    (tmp_path / "input.json").write_text(json.dumps([manifest, assessment]))
    code = (
        "import json, pathlib, sys; from anon_platform.publish import write_report;"
        " found = json.loads(pathlib.Path(sys.argv[1]).read_text());"
        " write_report(pathlib.Path(sys.argv[2]), manifest=found[0], assessment=found[1]);"
        " sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    arguments = [sys.executable, "-c", code, tmp_path / "input.json", tmp_path / "there.html"]
    subprocess.run(arguments, check=True, timeout=60)
    assert (tmp_path / "here.html").read_bytes() == (tmp_path / "there.html").read_bytes()


def test_input_and_settings_of_the_machine_stay_as_they_are(tmp_path):
    """The report is drawn inside a long-lived process: others' plots must not change, nor the manifest."""
    import matplotlib as mpl

    manifest, assessment = released()
    before = copy.deepcopy((manifest, assessment))
    with mpl.rc_context({"font.size": 31.0, "svg.fonttype": "path"}):
        settings = dict(mpl.rcParams)
        write_report(tmp_path / "report.html", manifest=manifest, assessment=assessment)
        assert dict(mpl.rcParams) == settings
    assert (manifest, assessment) == before
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == page(manifest, assessment)


def test_heavy_libraries_are_loaded_only_when_a_report_is_written():
    """`anon plan` must not wait for a plotting library."""
    code = "import sys, anon_platform.publish; sys.exit(bool({'matplotlib', 'jinja2'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_a_report_takes_less_than_three_seconds_of_work():
    """It is written on every run, also of small datasets. Processor time, since tests share the machine."""
    manifest, assessment = released()
    row = {"distance": 0.01, "distinct_before": 9, "distinct_after": 9}
    assessment["detail"]["fidelity"] = [{"name": f"column {i}", **row} for i in range(60)]
    start = time.process_time()
    page(manifest, assessment)
    assert time.process_time() - start < 3


def test_hostile_text_is_shown_and_not_obeyed():
    """Titles, notes and column names come from files that others wrote; in signed pages they stay text."""
    manifest, assessment = released()
    name = f'{HOSTILE} $x$ id="y" font-family: z; url(#q) {{{{ 7*7 }}}}'
    text = json.dumps([manifest, assessment]).replace('"diagnosis"', json.dumps(name))
    manifest, assessment = json.loads(text)
    manifest.update(title=HOSTILE, owner=HOSTILE, recipient=HOSTILE, purpose=HOSTILE, dataset=HOSTILE)
    manifest["release_id"] = '"; } body { color: hotpink } </style><script>'
    manifest["people"]["name"] = HOSTILE
    manifest["levels"]["age"] = HOSTILE
    manifest["rests_on_manifest"] = [HOSTILE]
    manifest["files"] = {HOSTILE: HOSTILE}
    miss(manifest, "largest column distance", 0.3, f"{name} moved too far")
    found = page(manifest, assessment)
    parsed = Page(found)
    assert "<script" not in found
    assert name in parsed.text
    assert html.escape(HOSTILE, quote=False) in found
    style = re.search(r"<style>(.*?)</style>", found, re.DOTALL)
    assert style is not None
    assert "{ color: hotpink" not in style[1]


def test_a_release_says_so_on_the_first_screen_with_its_figures():
    """Who signs must see at once what was released, to whom, and how safe and useful it is."""
    first = read(released).text.split("Checks")[0]
    for words in (
        "Released Measured on the files that leave, all 7 thresholds of the policy are met.",
        "Every combination of age and zip is shared by at least 5 patients.",
        "before, 100.0 % for the patient most at risk and 90.0 % on average. After, on average 2.4 %.",
        "10,000 rows in = 9,200 released + 800 suppressed (8.0 %).",
        "AUC 0.700 with the original rows, 0.680 with the released rows.",
        "90.0 %",
        "The values of age moved most",
        "4 March 2026, 05:06 UTC",
        "30 days, until 3 April 2026",
        "research team",
    ):
        assert words in first
    assert "efused" not in first


def test_a_refused_release_says_so_first_and_names_what_was_missed():
    """A refusal that has to be searched for is handed on as a release."""
    manifest, assessment = refused()
    miss(manifest, "largest column distance", 0.09, "age moved too far; missed by 0.0400")
    text = page(manifest, assessment)
    first = Page(text).text.split("Checks")[0]
    assert "<title>REFUSED: Visits of a clinic</title>" in text
    assert "Refused: no data has left The treated files missed 2 thresholds of the policy." in first
    assert "Nothing was published and the files are deleted" in first
    assert "k: 3 , where at least 5 is demanded: missed by 2; a threshold of 3 would be met." in first
    assert "largest column distance: 0.090 , where at most 0.05 is demanded: age moved too far" in first
    assert "Rows released: none 0" in first
    assert "approved" not in text
    assert "part-00000" not in text, "hashes of files that nobody can hold"


def test_verdicts_are_words_and_not_colours_alone():
    """Pages are printed in grey, and not everyone sees red."""
    text = read(refused).text
    assert "k The fewest patients who share one combination of quasi-identifiers 3 at least 5 missed" in text
    assert (
        "maximum risk Chance to pick the right patient, for the patient most at risk 20.0 % at most 20.0 % met"
        in text
    )
    assert "0.810 — not demanded" in text


def test_a_narrowly_missed_threshold_does_not_look_met():
    """0.05004 rounds to 0.050, which is what was allowed."""
    manifest, assessment = released()
    miss(manifest, "largest column distance", 0.05004, "missed by 0.0000")
    miss(manifest, "suppressed records", 0.10001, "missed by 0.0000")
    text = Page(page(manifest, assessment)).text
    assert "largest column distance: 0.05004" in text
    assert "suppressed records: 10.001 %" in text


def test_counts_of_a_few_records_or_people_are_never_exact():
    """A count of two people in a published page is about two people."""
    manifest, assessment = released()
    manifest["rows"] = {"in": 10000, "out": 9997, "suppressed": 3}
    manifest["people"].update({"in": 7000, "out": 6998})
    next(m for m in manifest["metrics"] if m["name"] == "suppressed records")["value"] = 0.0003
    next(m for m in manifest["metrics"] if m["name"] == "sample uniques")["value"] = 4 / 9997
    assessment["before"]["class_sizes"] = [[1, 9996], [2, 4]]
    assessment["detail"]["privacy"]["class_sizes"] = [[4, 2], [8, 9995]]
    assessment["detail"]["model"].update(test_people=4, test_rows=4)
    text = Page(page(manifest, assessment)).text
    assert "9,997 + < 5 rows in = 9,997 released + < 5 suppressed (< 0.1 %)." in text
    assert (
        "Came in 9,997 + < 5 6,998 + < 5 Released 9,997 6,998 Suppressed (< 0.1 % of the rows) < 5 < 5"
        in text
    )
    assert text.count("n < 5") == 3, "two bars and the sentence that explains them"
    assert "(< 5 rows of < 5 patients)" in text
    for exact in ("10,000", "7,000", "0.03 %", "0.04 %"):
        assert exact not in text


def test_a_small_share_that_was_not_allowed_is_not_told_by_its_note():
    """In a small dataset a share to four decimals is a count."""
    manifest, assessment = released()
    manifest["rows"] = {"in": 100, "out": 97, "suppressed": 3}
    miss(manifest, "suppressed records", 0.03, "missed by 0.0200; a threshold of 0.0300 would be met")
    text = Page(page(manifest, assessment)).text
    assert "suppressed records: < 5.0 %" in text
    assert "0.0300" not in text
    assert "3.0 %" not in text


def test_faults_of_accounting_do_not_tell_small_counts():
    """They are the only notes with numbers of rows in them."""
    text = read(unaccounted).text
    assert "10,000 rows came in, 9,200 leave and < 5 are suppressed" in text


def test_without_k_small_counts_are_hidden_as_health_agencies_do():
    """A policy without quasi-identifiers has no k; its report still must not count two people."""
    manifest, assessment = modest()
    manifest["rows"] = {"in": 1000, "out": 990, "suppressed": 10}
    assert "990 released + < 11 suppressed" in Page(page(manifest, assessment)).text


def test_no_cell_value_is_on_the_page():
    """Types of enumerations and the model's target name cell values; the manifest may, the report may not."""
    for case in EVERY:
        text = page(*case())
        assert "cell one" not in text
        assert "cell two" not in text


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (unaccounted, "risk, fidelity and the model were not measured"),
        (untrained, "The model could not be compared: the original rows hold one class of again only."),
        (untrained, "model loss: not measured , where at most 15.0 % is demanded"),
        (modest, "The policy names no quasi-identifiers, so k and re-identification risk are not measured."),
        (modest, "The policy names no sensitive columns, so l and t are not measured."),
        (modest, "The policy names no model, so no model was trained."),
        (modest, "no limit set in the policy"),
        (emptied, "After, no record is left."),
    ],
)
def test_what_was_not_measured_is_said(case, words):
    """An absent figure looks like a good one."""
    assert words in read(case).text


def test_clinical_notes_that_stay_are_mentioned_near_the_top_and_in_the_table():
    """Free text is what readers expect and fear most."""
    text = read(released).text
    assert (
        "Clinical notes: not in this release. The free-text column note is left out."
        in text.split("Checks")[0]
    )
    assert (
        "note free text string not released Notes are not released until they can be de-identified." in text
    )
    assert "Clinical notes" not in read(modest).text


def test_free_text_that_leaves_is_a_warning():
    """No measure of the report looks inside text."""
    manifest, assessment = released()
    manifest["plan"]["columns"][-1]["treatment"] = "pseudonymize"
    first = Page(page(manifest, assessment)).text.split("Checks")[0]
    assert (
        "Free text: part of this release. The free-text column note (pseudonymize) is treated and released."
        in first
    )


def test_levels_and_limits_are_told_honestly():
    """The officer signs for what the numbers do not cover, too."""
    text = read(released).text
    assert "age 5 10 20 * bands of 20" in text
    assert "zip zip5 zip3 * one value for everybody: no detail is left" in text
    assert (
        "t-closeness was not demanded. The distribution in at least one group differs strongly from the whole"
        in text
    )
    assert (
        "2 columns to be insensitive; they are released as they are, or only coarsened, on that judgement: stay and again"
        in text
    )
    assert "It does not protect against one who knows other released columns" in text
    assert "Patients are counted in staging, by the position of their rows" in text


def test_a_model_that_gains_or_never_worked_is_not_praised():
    """A negative loss is no improvement of the data, and a share of no lift means nothing."""
    manifest, assessment = released()
    assessment["detail"]["model"].update(loss=-0.1, interval=[-0.2, 0.01])
    text = Page(page(manifest, assessment)).text
    assert "110.0 %" in text
    assert "Above 100 % means that nothing was lost in this test." in text
    assert "95 % interval −20.0 % to 1.0 %" in text
    assessment["detail"]["model"].update(loss=0.0)
    assessment["detail"]["model"]["original"]["auc"] = 0.49
    text = Page(page(manifest, assessment)).text
    assert "none to keep" in text
    assert "Even the original model does no better than chance." in text


def test_many_columns_are_drawn_in_two_panels_and_the_rest_is_told():
    """A plot of hundreds of columns is read by nobody."""
    manifest, assessment = released()
    row = {"distinct_before": 9, "distinct_after": 9}
    assessment["detail"]["fidelity"] = [
        {"name": f"column {i}", "distance": i / 10000, **row} for i in range(200)
    ]
    found = Page(page(manifest, assessment))
    labels = [str(svg["aria-label"]) for svg in found.all("svg") if "aria-label" in svg]
    assert sum(label.count("column ") for label in labels) == 56
    assert "The other 144 columns moved at most 0.014." in found.text
