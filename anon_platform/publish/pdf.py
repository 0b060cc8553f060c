"""The report as PDF: the same page, laid out for paper."""

import importlib.util
from pathlib import Path

from anon_platform.errors import StorageError

PDF = "report.pdf"

LAYOUT = """
@media print {
  .figures, figure.wide .drawings, figure.beside .inner { display: block; }
  figure { display: inline-block; width: 48%; margin-right: 1.5%; vertical-align: top; }
  figure.wide { display: block; width: 100%; }
  figure.wide .drawings svg { display: inline-block; width: 49%; vertical-align: top; }
  figure.beside .drawings, figure.beside figcaption { display: inline-block; width: 48%; vertical-align: top; margin-right: 1%; }
  figure.beside .drawings svg { width: 100%; }
}
"""
"""Columns of blocks: the typesetter does not size drawings in grids."""

MISSING = (
    "PDF reports need the extra: pip install 'anon-platform[pdf]', and the system's Pango library (Debian: libpango-1.0-0,"
    " libpangoft2-1.0-0)"
)


def pdf_fault() -> str | None:
    """Why no PDF can be written here; None where one can."""
    if importlib.util.find_spec("weasyprint") is None:
        return MISSING
    try:
        import weasyprint  # noqa: F401 - loads Pango
    except OSError:
        return MISSING
    return None


def write_pdf(file: Path, page: str, *, identifier: str) -> None:
    """Writes a report's page as PDF: the same bytes for the same page, fonts and versions. Nothing is fetched.

    identifier: of the document, such as the release's id. Without the extra `StorageError`.
    """
    fault = pdf_fault()
    if fault is not None:
        raise StorageError(fault)
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher

    laid_out = page.replace("</style>", f"{LAYOUT}</style>", 1)
    # a report refers to nothing outside itself; whatever does is left out
    nothing = URLFetcher(allowed_protocols=())
    HTML(string=laid_out, url_fetcher=nothing).write_pdf(file, pdf_identifier=identifier.encode())
