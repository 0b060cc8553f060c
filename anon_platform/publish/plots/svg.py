"""A matplotlib figure as SVG text that sits inside a page: its typeface, no outside reference, equal bytes for equal input."""

import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 480
"""Width of every drawing, in pixels of the page; heights vary."""

INK, SOFT, LINE = "#1b2733", "#52606d", "#d9e0e6"

ORIGINAL, ORIGINAL_EDGE = "#c3c9cf", "#6b7680"
RELEASED = "#0072b2"
THRESHOLD = "#d55e00"
"""Blue and vermillion of Okabe and Ito 2008, told apart by colour-blind readers; the light grey stays lighter in print."""

SETTINGS = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a column may be called $x$
    "font.size": 13,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": SOFT,
    "axes.labelsize": 13,
    "axes.linewidth": 1,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": SOFT,
    "ytick.labelcolor": SOFT,
    "grid.color": "#e9edf0",
    "grid.linewidth": 1,
    "legend.frameon": False,
}


def drawing(name: str, label: str, height: float, draw: Callable[["Figure"], None]) -> str:
    """SVG text of what `draw` puts on a figure of `WIDTH` × `height` pixels.

    name: unique in the page, for the ids inside. label: what a reader who does not see it is told.
    """
    text = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with _drawn(name, height, draw) as figure:
        figure.savefig(text, format="svg", metadata=nothing)
    return inline(text.getvalue(), name, label)


def picture(height: float, draw: Callable[["Figure"], None]) -> bytes:
    """PNG of the same, on white, at twice the pixels, for slides and mails."""
    found = io.BytesIO()
    with _drawn("picture", height, draw) as figure:
        figure.savefig(found, format="png", dpi=144, facecolor="white", metadata={"Software": None})
    return found.getvalue()


@contextmanager
def _drawn(name: str, height: float, draw: Callable[["Figure"], None]) -> Iterator["Figure"]:
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # the settings of the machine do not count, and ours do not outlive the drawing
    with mpl.rc_context(), warnings.catch_warnings():
        # the page's typeface has the sign, whether or not the one used for measuring has it
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        mpl.rcdefaults()
        mpl.rcParams.update(cast("Any", {**SETTINGS, "svg.hashsalt": name}))
        figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72, facecolor="none")
        FigureCanvasAgg(figure)
        draw(figure)
        yield figure


def axes_on(
    figure: "Figure", height: float, *, left: float, right: float, top: float, bottom: float
) -> "Axes":
    """Axes with margins in pixels."""
    axes = figure.add_axes(
        (left / WIDTH, bottom / height, (WIDTH - left - right) / WIDTH, (height - top - bottom) / height)
    )
    axes.patch.set_visible(False)
    return axes


def inline(text: str, name: str, label: str) -> str:
    """The svg element alone, with ids of its own, the page's typeface, and a title."""
    # a style for `*` inside a page would be a style for the page
    text = re.sub(r"\s*<defs>\s*<style[^>]*>[^<]*</style>\s*</defs>", "", text[text.index("<svg") :], count=1)
    end = text.index(">") + 1
    view = re.search(r'viewBox="[^"]*"', text[:end])
    assert view is not None
    told = escape(label)
    head = (
        f'<svg class="plot" role="img" aria-label="{told}" {view[0]} xmlns="http://www.w3.org/2000/svg">'
        f"<title>{told}</title>"
    )
    # tags only: a column may be called `id="x"`, and in a text `<` and `>` are escaped
    return head + re.sub(r"<[^>]+>", lambda tag: _at_home(tag[0], name), text[end:]).strip()


def _at_home(tag: str, name: str) -> str:
    """A tag whose ids begin with the drawing's name and whose typeface is the page's.

    >>> _at_home('<use xlink:href="#m1" style="font-size: 13px; font-family: Arial; fill: #000"/>', "roc")
    '<use href="#roc-m1" style="font-size: 13px; fill: #000"/>'
    """
    tag = re.sub(r' font-family: [^;"]*;?', "", tag)
    tag = re.sub(r' id="', f' id="{name}-', tag)
    tag = tag.replace(' xlink:href="#', f' href="#{name}-').replace("url(#", f"url(#{name}-")
    return re.sub(r' transform="rotate\(-0 [^"]*\)"', "", tag)
