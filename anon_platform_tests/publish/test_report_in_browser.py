"""The release report as a browser draws it."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from anon_platform.publish import write_report
from anon_platform.publish.report import page
from anon_platform_tests.publish.releases import Values, harbored, refused, released, untrained


def crowded() -> tuple[Values, Values]:
    """A release with many class sizes, many columns and long names."""
    manifest, assessment = released()
    assessment["detail"]["privacy"]["class_sizes"] = [[4, 2], *([2**i, 900 + i] for i in range(3, 21))]
    assessment["detail"]["fidelity"] = [
        {
            "name": f"a name of a column that is far too long, number {i}",
            "distance": 0.049,
            "distinct_before": 9,
            "distinct_after": 9,
        }
        for i in range(56)
    ]
    return manifest, assessment


@pytest.fixture
def browser(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a headless Chromium on a page, without network."""
    program = shutil.which("chromium")
    if program is None:
        pytest.fail("no chromium on PATH; `make test` installs it (Debian package chromium)")

    def run(file: Path, *options: str) -> subprocess.CompletedProcess[str]:
        quiet = [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
            "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
            "--enable-logging=stderr", "--window-size=1200,900", f"--user-data-dir={tmp_path / 'profile'}",
        ]  # fmt: skip
        command = [program, *quiet, *options, file.as_uri()]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)

    return run


def test_a_browser_shows_the_page_without_complaint(browser, tmp_path):
    """What parses may still be blocked by the page's own content policy or not be drawn at all."""
    manifest, assessment = released()
    file = tmp_path / "report.html"
    write_report(file, manifest=manifest, assessment=assessment)
    shown = browser(file, "--dump-dom")
    assert shown.stdout.count('<svg class="plot"') == 4
    assert "CONSOLE" not in shown.stderr
    browser(file, f"--screenshot={tmp_path / 'page.png'}")
    assert (tmp_path / "page.png").stat().st_size > 20_000
    # the check would notice: the policy of the page blocks what somebody slips in
    file.write_text(
        file.read_text(encoding="utf-8").replace("</main>", "<script>1</script></main>"), encoding="utf-8"
    )
    assert "CONSOLE" in browser(file, "--dump-dom").stderr


MEASURE = """<script>
const out = [];
if (document.documentElement.scrollWidth > innerWidth) out.push("the page is wider than the window");
for (const svg of document.querySelectorAll("svg.plot")) {
  const frame = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll("text")].map(text => [text.textContent, text.getBoundingClientRect()]);
  texts.forEach(([words, box], i) => {
    if (box.left < frame.left - 1 || box.right > frame.right + 1) out.push(words + " leaves its plot");
    for (const [others, other] of texts.slice(i + 1)) {
      const wide = Math.min(box.right, other.right) - Math.max(box.left, other.left);
      const high = Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top);
      if (wide > 0.5 && high > 3) out.push(words + " covers " + others);
    }
  });
}
document.body.innerHTML = "<pre>" + out.join("|") + "</pre>";
</script>"""


@pytest.mark.parametrize("case", [released, refused, untrained, crowded, harbored])
def test_no_label_covers_another_or_leaves_its_plot(browser, tmp_path, case):
    """Measured in the browser, whose typeface is not the one that matplotlib measures with."""
    text = page(*case())
    text = re.sub(r"<meta http-equiv[^>]*>", "", text).replace("</body>", f"{MEASURE}</body>")
    (tmp_path / "measured.html").write_text(text, encoding="utf-8")
    shown = re.search(r"<pre>(.*)</pre>", browser(tmp_path / "measured.html", "--dump-dom").stdout)
    assert shown is not None
    assert shown[1].split("|") == [""]
