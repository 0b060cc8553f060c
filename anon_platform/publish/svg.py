"""A matplotlib figure as SVG text that sits inside a page: its typeface, no outside reference, equal bytes for equal input."""

import io
import re
import warnings
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
    "font.size": 11,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": SOFT,
    "axes.labelsize": 11,
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
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    # the settings of the machine do not count, and ours do not outlive the drawing
    with matplotlib.rc_context(), warnings.catch_warnings():
        # the page's typeface has the sign, whether or not the one used for measuring has it
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({**SETTINGS, "svg.hashsalt": name})
        figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72, facecolor="none")
        FigureCanvasSVG(figure)
        draw(figure)
        text = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(text, format="svg", metadata=nothing)
    return inline(text.getvalue(), name, label)


def inline(text: str, name: str, label: str) -> str:
    """The svg element alone, with ids of its own, the page's typeface, and a title."""
    text = text[text.index("<svg") :]
    text = re.sub(r"<svg [^>]*?(viewBox=\"[^\"]*\")[^>]*>", r"<svg \1 @>", text, count=1)
    # a style for `*` inside a page would be a style for the page
    text = re.sub(r"\s*<defs>\s*<style[^>]*>[^<]*</style>\s*</defs>", "", text, count=1)
    text = re.sub(r" font-family: [^;\"]*;?", "", text)
    text = re.sub(r"( |:)font: ([^;\"]*)", "", text)
    text = re.sub(r' id="([^"]+)"', rf' id="{name}-\1"', text)
    text = re.sub(r'xlink:href="#', f'href="#{name}-', text)
    text = text.replace("url(#", f"url(#{name}-")
    text = re.sub(r' transform="rotate\(-0 [^"]*\)"', "", text)
    told = escape(label)
    head = (
        f'class="plot" role="img" aria-label="{told}" xmlns="http://www.w3.org/2000/svg"><title>{told}</title'
    )
    return text.replace("@", head, 1).strip()
