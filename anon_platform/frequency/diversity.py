"""l-diversity beyond counting values: entropy, and how much the commonest value outweighs the rare ones."""

from typing import TYPE_CHECKING

from anon_platform.frequency.cells import Cells, greatest, summed

if TYPE_CHECKING:
    from anon_platform.frequency.cells import Floats


def distinct_values(cells: Cells) -> "Floats":
    """Distinct values in each class; infinity for an empty class, which tells nothing.

    Source: Machanavajjhala et al. 2007, definition 3.1 with the instantiation of distinct values.
    """
    import numpy as np

    found = np.bincount(cells.of_class, minlength=cells.classes).astype(np.float64)
    return np.where(found > 0, found, np.inf)


def entropy_number(cells: Cells) -> "Floats":
    """The exponential of the entropy of each class: as many equally likely values would be as uncertain.

    Infinity for an empty class. exp(−Σ p ln p) with p the share of a value in the class.
    Source: Machanavajjhala et al. 2007, definition 4.1 (entropy l-diversity: −Σ p log p ≥ log l).
    """
    import numpy as np

    size = cells.sizes()
    # −Σ (n/N) ln (n/N) = ln N − Σ n ln n / N: one logarithm an entry
    weighted = summed(cells.of_class, cells.records * np.log(cells.records), cells.classes)
    some = np.maximum(size, 1)
    return np.where(size > 0, np.exp(np.log(some) - weighted / some), np.inf)


def commonest_against_rare(cells: Cells, l: int) -> "Floats":
    """r₁ / (r_l + r_{l+1} + …) of each class, with r₁ ≥ r₂ ≥ … the records of its values; 0 for an empty class.

    Infinity for a class of fewer than l values.
    Source: Machanavajjhala et al. 2007, definition 4.2 (recursive (c, l)-diversity: r₁ < c (r_l + … + r_m)).
    """
    import numpy as np

    order = np.lexsort((-cells.records, cells.of_class))
    of_class, records = cells.of_class[order], cells.records[order]
    held = np.bincount(of_class, minlength=cells.classes)
    rank = np.arange(len(of_class)) - (np.cumsum(held) - held)[of_class]
    rare = rank >= l - 1
    tail = summed(of_class[rare], records[rare], cells.classes)
    most = greatest(of_class, records, cells.classes, empty=0.0)
    ratio = np.divide(most, tail, out=np.full(cells.classes, np.inf), where=tail > 0)
    return np.where(held > 0, ratio, 0.0)


def leveled(overall: "Floats", left_out: float) -> "Floats":
    """The most even distribution that is left when the share `left_out` of the records may go: the peaks are cut.

    No other choice of the same number of records has more entropy, or a lower ratio of the commonest to the
    rare values: every other remainder majorizes this one (Marshall, Olkin 1979, chapter 1).

    >>> import numpy as np
    >>> leveled(np.array([0.6, 0.3, 0.1]), 0.4).round(3).tolist()
    [0.417, 0.417, 0.167]
    """
    import numpy as np

    shares = np.sort(overall[overall > 0])[::-1]
    if not len(shares) or left_out >= 1:
        return np.full(len(shares), 1 / max(len(shares), 1))
    # cutting the j largest to one height h takes (sum of them − j h): the first j whose h is not below the next
    height = (np.cumsum(shares) - left_out) / np.arange(1, len(shares) + 1)
    below = np.append(shares[1:], 0.0)
    cut = float(height[np.flatnonzero(height >= below - 1e-15)[0]]) if left_out > 0 else float(shares[0])
    return np.asarray(np.minimum(shares, cut) / (1 - left_out))
