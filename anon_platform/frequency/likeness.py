"""What an attacker gains on single values: beta-likeness and delta-disclosure privacy."""

from typing import TYPE_CHECKING

from anon_platform.frequency.cells import Cells, greatest

if TYPE_CHECKING:
    from anon_platform.frequency.cells import Floats

ROUNDING = 1e-12
"""A gain of a value that all records have is nothing but rounding, and fills no room."""


def relative_gain(cells: Cells) -> "Floats":
    """The greatest (q − p) / p over the values of each class, with p the share in the table and q that in the class.

    0 where no value gained and for an empty class; infinity for a value that the reference does not know.
    Source: Cao, Karras 2012, Publishing microdata with a robust privacy guarantee (basic β-likeness: at most β).
    """
    import numpy as np

    return greatest(cells.of_class, np.maximum(_gains(cells), 0.0), cells.classes, empty=0.0)


def relative_gain_enhanced(cells: Cells, beta: float) -> "Floats":
    """As `relative_gain`, each value's gain divided by min(1, −ln p / β), so that β bounds it.

    Source: Cao, Karras 2012 (enhanced β-likeness: gain ≤ min(β, −ln p)): a common value may gain
    less than a rare one.
    """
    import numpy as np

    known = cells.overall[cells.value]
    gain = np.maximum(_gains(cells), 0.0)
    room = -np.log(np.where(known > 0, np.minimum(known, 1.0), 1.0))
    real = gain > ROUNDING
    limit = np.where(known > 0, np.minimum(beta, room), beta)
    scaled = np.divide(gain * beta, limit, out=np.full(len(gain), np.inf), where=limit > 0)
    return greatest(cells.of_class, np.where(real, scaled, 0.0), cells.classes, empty=0.0)


def _gains(cells: Cells) -> "Floats":
    import numpy as np

    known = cells.overall[cells.value]
    ratio = np.divide(cells.shares(), known, out=np.full(len(known), np.inf), where=known > 0)
    return np.asarray(ratio - 1.0)


def log_ratio(cells: Cells) -> "Floats":
    """The greatest |log₂ (q / p)| over all values of the table, in bits, with p as in the table and q as in the class.

    Infinity for a class that lacks a value of the table; 0 for an empty class.
    Source: Brickell, Shmatikov 2008, The cost of privacy (δ-disclosure privacy: below δ for every value). Base 2 as
    in ARX; the natural logarithm would allow more for the same δ.
    """
    import numpy as np

    known = cells.overall[cells.value]
    ratio = np.divide(cells.shares(), known, out=np.full(len(known), np.inf), where=known > 0)
    found = greatest(cells.of_class, np.abs(np.log2(ratio)), cells.classes, empty=0.0)
    held = np.bincount(cells.of_class, minlength=cells.classes)
    present = np.bincount(cells.of_class[known > 0], minlength=cells.classes)
    lacks = (held > 0) & (present < np.count_nonzero(cells.overall > 0))
    return np.where(lacks, np.inf, found)
