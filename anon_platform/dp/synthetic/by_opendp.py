"""The methods of OpenDP, MST and AIM, after every column with the target; rows are drawn by draw.py.

The extra `mbi` brings them. Of mbi 1.1.0 the fit is used and the sampler is not: its rounding invents correlations and
its sampling conditions on other columns than the model does.
"""

import importlib.util
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from anon_platform.dp.loss import Loss, Measure, spent
from anon_platform.dp.noise import Noise
from anon_platform.dp.synthetic.fit import Model
from anon_platform.dp.synthetic.junction import Scope, junction_tree
from anon_platform.dp.synthetic.light import Learned, Taken
from anon_platform.dp.synthetic.rare import merging
from anon_platform.errors import BudgetError, PolicyError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from anon_platform.dp.synthetic.coded import Codes

MEGABYTES, ROUNDS = 8.0, 32
"""Of the model, and of AIM's choices: what reached the least error on Adult at ε = 1."""

TRIES, HAIR = 30, 1e-9
"""Losses that are tried, each less than the one before by this share."""

TRIAL = 1000
"""Rows of the trial run, which are drawn without the data."""


def require_mbi(method: str) -> None:
    """`PolicyError` where the extra is not installed."""
    if importlib.util.find_spec("mbi") is None:
        raise PolicyError(
            f"method: {method} needs the extra mbi, which is not installed; install anon-platform[mbi] or write method: light"
        )


def learned_by_opendp(
    codes: "Codes", sizes: Sequence[int], target: int | None, zeros: "Mapping[Scope, NDArray[np.bool_]]",
    method: Literal["mst", "aim"], loss: Loss, contribution: int, rng: "np.random.Generator",
) -> Learned:  # fmt: skip
    """A model as OpenDP's `method` learns it, after the columns or each of them with the target. The whole run is tried on rows drawn at random first.

    What goes wrong then, such as a budget that is used up early by rounding, goes wrong before anything is spent.
    """
    import numpy as np
    from opendp.extras.polars import Bound

    dummy = np.stack([rng.integers(0, size, TRIAL) for size in sizes]).astype(np.int32)
    measurement = _that_works(sizes, target, method, loss, contribution, _frame(dummy))
    amount = measurement.map([Bound(by=[], per_group=contribution)])
    table = measurement(_frame(codes))
    model = _model(table.model, sizes, zeros)
    nothing_rare = merging(sizes, [np.ones(size) for size in sizes], [0.0] * len(sizes), set())
    taken = tuple(_taken(one, sizes, loss, contribution) for one in _whole(table.marginals))
    return Learned(model, nothing_rare, target, taken, (), spent(loss.measure, amount))


def _that_works(
    sizes: Sequence[int],
    target: int | None,
    method: Literal["mst", "aim"],
    loss: Loss,
    contribution: int,
    dummy: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    """The measurement for the loss, or for a hair less.

    OpenDP 0.16 divides a loss into parts that may add up to more than the whole by one in the last place of a float, and then
    stops in the middle of a run. Which losses do is seen on rows that are not the data's.
    """
    from opendp.mod import OpenDPException

    for step in range(TRIES):
        measurement = _measurement(
            sizes, target, method, loss.amount * (1 - step * HAIR), contribution, loss.measure
        )
        try:
            measurement(dummy)
        except OpenDPException as error:
            if "insufficient budget" not in str(error):
                raise
        else:
            return measurement
    raise BudgetError(
        f"method: {method} cannot divide this privacy loss; change epsilon a little, or write method: light"
    )


def _measurement(
    sizes: Sequence[int],
    target: int | None,
    method: Literal["mst", "aim"],
    amount: float,
    contribution: int,
    measure: Measure,
) -> Any:  # noqa: ANN401
    """OpenDP's measurement of frames of codes. Half of the loss is for the columns alone, or each with the target."""
    import opendp.prelude as dp
    from opendp.extras import mbi
    from opendp.extras.polars import Bound

    dp.enable_features("contrib")
    names = [str(at) for at in range(len(sizes))]
    then: mbi.Algorithm = mbi.MST() if method == "mst" else mbi.AIM(max_size=MEGABYTES, rounds=ROUNDS)
    if target is not None:
        pairs = [mbi.Count((name, str(target))) for name in names if name != str(target)]
        then = mbi.Sequential(algorithms=[mbi.Fixed(queries=pairs), then])
    privacy = dp.zero_concentrated_divergence() if measure == "zcdp" else dp.max_divergence()
    measurement, _, _ = mbi.make_contingency_table(
        dp.lazyframe_domain([dp.series_domain(name, dp.atom_domain(T="i64")) for name in names]),
        dp.frame_distance(dp.symmetric_distance()),
        privacy,
        d_in=[Bound(by=[], per_group=contribution)],
        d_out=amount,
        keys={name: list(range(size)) for name, size in zip(names, sizes, strict=True)},
        algorithm=then,
    )
    return measurement


def _frame(codes: "Codes") -> Any:  # noqa: ANN401
    import polars as pl

    return pl.LazyFrame({str(at): line.astype("int64") for at, line in enumerate(codes)})


def _model(field: Any, sizes: Sequence[int], zeros: "Mapping[Scope, NDArray[np.bool_]]") -> Model:  # noqa: ANN401
    """Our model from that of mbi, which adds a code for nulls to each column, which codes do not have: it is left out."""
    import numpy as np

    potentials: dict[Scope, NDArray[np.float64]] = {}
    for clique in field.potentials.cliques:
        columns = [int(name) for name in clique]
        values = np.asarray(field.potentials[clique].values, dtype=float)
        values = values[tuple(slice(sizes[column]) for column in columns)]
        order = sorted(range(len(columns)), key=columns.__getitem__)
        scope = tuple(columns[axis] for axis in order)
        potentials[scope] = potentials.get(scope, np.zeros(1)) + values.transpose(order)
    return Model(junction_tree([*potentials, *zeros], sizes), potentials, zeros, float(field.total))


def _whole(marginals: Any) -> list[Any]:  # noqa: ANN401
    """The measurements that are of all cells of a marginal, each column once."""
    from mbi import Factor

    return [one for one in marginals.flatten() if one.clique and one.query in (None, Factor.datavector)]


def _taken(one: Any, sizes: Sequence[int], loss: Loss, contribution: int) -> Taken:  # noqa: ANN401
    """A noisy marginal of mbi's, without its cells of nulls."""
    import math

    import numpy as np

    columns = [int(name) for name in one.clique]
    counts = np.asarray(one.noisy_measurement).reshape([sizes[column] + 1 for column in columns])
    counts = counts[tuple(slice(sizes[column]) for column in columns)]
    order = sorted(range(len(columns)), key=columns.__getitem__)
    scale = float(one.stddev) if loss.measure == "zcdp" else float(one.stddev) / math.sqrt(2)
    whole = np.rint(counts.transpose(order)).astype(np.int64)
    return Taken(tuple(columns[axis] for axis in order), whole, Noise(loss.measure, scale, contribution))
