"""Codes so rare that noise hides what they go with: they share one code of the model, and part again when rows are drawn.

Source: McKenna, Miklau and Sheldon 2021, Winning the NIST contest, section 3.2 (domain compression).
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING

from anon_platform.dp.synthetic.draw import systematic
from anon_platform.dp.synthetic.junction import Scope

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int32]


@dataclass(frozen=True)
class Merging:
    """Per column the new code of each code. sizes: numbers of new codes; rare codes share the last one."""

    places: "tuple[Codes, ...]"
    sizes: tuple[int, ...]

    def merged(self, codes: "Codes") -> "Codes":
        """The new codes; one line a column."""
        import numpy as np

        return np.stack([place[line] for place, line in zip(self.places, codes, strict=True)])

    def table(self, counts: "Floats", scope: Scope) -> "Floats":
        """A table of counts, or of variances, of the new codes: rare cells are added up."""
        import numpy as np

        for axis, column in enumerate(scope):
            if len(self.places[column]) > self.sizes[column]:
                onto = np.zeros((self.sizes[column], len(self.places[column])))
                onto[self.places[column], np.arange(len(self.places[column]))] = 1
                counts = np.moveaxis(np.tensordot(onto, counts, (1, axis)), 0, axis)
        return counts

    def parted(
        self, codes: "Codes", target: int | None, shares: "Sequence[Floats]", rng: "np.random.Generator"
    ) -> "Codes":
        """The old codes: of rare ones drawn by their shares, given the target's code.

        shares: per column a table of (expected) counts, one line a code of the target (one line where there is none).
        """
        import numpy as np

        parted = np.empty_like(codes)
        lines = codes[target] if target is not None else np.zeros(codes.shape[1], np.int32)
        for column, place in enumerate(self.places):
            common = np.flatnonzero(np.bincount(place, minlength=self.sizes[column])[place] == 1)
            back = np.zeros(self.sizes[column], np.int32)
            back[place[common]] = common
            parted[column] = back[codes[column]]
            if len(common) < len(place):
                rare = np.setdiff1d(np.arange(len(place)), common)
                rows = np.flatnonzero(codes[column] == self.sizes[column] - 1)
                table = np.maximum(shares[column][:, rare], 0.0)
                parted[column, rows] = rare[systematic(table, lines[rows].astype(np.int64), rng)]
        return parted


def merging(
    sizes: Sequence[int], counts: "Sequence[Floats]", least: "Sequence[float]", kept: AbstractSet[int]
) -> Merging:
    """Codes with fewer (noisy) counts than `least` share one, where there are two or more. kept: columns left as they are."""
    import numpy as np

    places, new = [], []
    for column, size in enumerate(sizes):
        rare = counts[column] < least[column]
        if column in kept or rare.sum() <= 1:
            places.append(np.arange(size, dtype=np.int32))
            new.append(size)
            continue
        common = size - int(rare.sum())
        place = np.full(size, common, np.int32)
        place[~rare] = np.arange(common)
        places.append(place)
        new.append(common + 1)
    return Merging(tuple(places), tuple(new))
