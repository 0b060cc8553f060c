"""The report as PDF: written where the policy asks for it, the same page, and nothing fetched."""

import re
import zlib
from pathlib import Path

import pytest

from anon_platform.errors import PolicyError, StorageError
from anon_platform.pipeline import plan, run, verify
from anon_platform.publish import pdf
from anon_platform_tests.clinic import make_clinic


def pages_of(file: Path) -> int:
    """Pages of a PDF, counted in its objects, packed ones too."""
    content = file.read_bytes()
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL)
    for stream in streams:
        try:
            content += zlib.decompress(stream)
        except zlib.error:
            continue
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", content))


def test_a_release_has_its_report_as_pdf_which_verify_knows(tmp_path: Path) -> None:
    """Of several pages, hashed like every file: who changes it is found."""
    outcome = run(make_clinic(tmp_path, publish={"pdf": True}))
    assert outcome.released
    release = Path(outcome.validated.path)
    file = release / "report.pdf"
    assert file.read_bytes().startswith(b"%PDF-1.")
    assert pages_of(file) >= 4
    assert verify(release).passed
    file.write_bytes(file.read_bytes() + b"\n")
    assert not verify(release).passed


def test_the_same_page_gives_the_same_bytes(tmp_path: Path) -> None:
    """No clock and no chance is in it."""
    page = (
        "<html><head><title>T</title><style>p { color: red }</style></head><body><p>Words</p></body></html>"
    )
    for name in ("one.pdf", "two.pdf"):
        pdf.write_pdf(tmp_path / name, page, identifier="abc")
    assert (tmp_path / "one.pdf").read_bytes() == (tmp_path / "two.pdf").read_bytes()


def test_nothing_outside_is_fetched(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A picture on another host stays away; the page is written without it."""
    page = '<html><head><style></style></head><body><img src="http://127.0.0.1:9/x.png">Words</body></html>'
    pdf.write_pdf(tmp_path / "one.pdf", page, identifier="abc")
    assert pages_of(tmp_path / "one.pdf") == 1
    assert "Failed to load image" in caplog.text


def test_without_the_extra_the_policy_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a release of hours would fail at its end."""
    file = make_clinic(tmp_path, publish={"pdf": True})
    monkeypatch.setattr(pdf.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(
        PolicyError, match=r"publish\.pdf: PDF reports need the extra: pip install 'anon-platform\[pdf\]'"
    ):
        plan(file)
    with pytest.raises(StorageError, match="PDF reports need the extra"):
        pdf.write_pdf(tmp_path / "one.pdf", "<style></style>", identifier="abc")
