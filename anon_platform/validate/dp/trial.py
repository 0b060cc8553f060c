"""A synthetic table tried on the data it was made of, and on people it was not made of.

What comes out is exact, so it is for the owner's eyes and stays inside: no ε covers it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl

from anon_platform.dp.domain import Categories, Domain, Numbers
from anon_platform.dp.synthetic.coded import Column, columns_of
from anon_platform.policy import Model
from anon_platform.table import PERSON
from anon_platform.validate.attacks.inference import guessed
from anon_platform.validate.attacks.intervals import Risk, residual
from anon_platform.validate.attacks.linkability import linked_parts
from anon_platform.validate.attacks.membership import Told, closest, told_apart
from anon_platform.validate.attacks.sides import sides
from anon_platform.validate.attacks.singling_out import drawn_predicates, singled_out

CONFIDENCE = 0.95
ATTACKED = 1000
"""People who are attacked at most, and as many who are not in the table's data."""
PREDICATES, TOGETHER, TOLERANCE = 500, 4, 0.05
NEIGHBOURS = 1
LEARNT = 20_000
"""Rows that a model learns from at most."""


@dataclass(frozen=True)
class Trial:
    """What a table is good for, and what attacks find.

    pairs: total variation distance of two columns together, mean over all pairs, against the people it was made of; floor:
    the same of as many other people, which no table has to beat. auc: of a model that learnt from the table, on people it
    was not made of; auc_of_data: of one that learnt from the data. membership: whether nearness to a row of the table tells
    who was in the data. linkability: of two halves of a record, every other column each; None of a single column. inference:
    of the target, from all other columns.
    """

    pairs: float
    floor: float
    auc: float | None
    auc_of_data: float | None
    membership: Told
    singling_out: Risk
    linkability: Risk | None
    inference: Risk | None


def tried(
    table: pl.DataFrame,
    members: pl.DataFrame,
    others: pl.DataFrame,
    domains: Mapping[str, Domain],
    required: frozenset[str],
    target: str | None,
    positive: str | None,
    seed: int,
) -> Trial:
    """The table against rows of the people it was made of, and of others; both with PERSON.

    positive: the target's value, as text, that the model is about; without a model None.
    Sources: Giomi et al. 2023 (attacks against people who are not in the data); Chen et al. 2020, GAN-Leaks (nearest row).
    """
    rng = np.random.default_rng(seed)
    public = {name: domain for name, domain in domains.items() if not _is_found(domain)}
    columns = columns_of(dict(members.schema), public, required)
    names = list(domains)
    attacked, control = (_one_each(rows, ATTACKED, rng) for rows in (members, others))
    number = min(attacked.height, control.height)
    attacked, control = attacked.head(number), control.head(number)
    near = [closest(sides(people, table, names))[0] for people in (attacked, control)]
    distance = pairs_distance(table, members, columns)
    auc = auc_of_data = None
    if target is not None and positive is not None:
        auc = area(
            table.with_columns(pl.int_range(table.height).alias(PERSON)), others, target, positive, seed
        )
        auc_of_data = area(members, others, target, positive, seed)
    return Trial(
        pairs=distance,
        floor=pairs_distance(others, members, columns),
        auc=auc,
        auc_of_data=auc_of_data,
        membership=told_apart(-near[0], -near[1], float(np.median(-np.concatenate(near))), CONFIDENCE),
        singling_out=_singling_out(table, members, others, names, rng),
        linkability=_linkability(table, attacked, control, names, rng) if len(names) > 1 else None,
        inference=None if target is None else _inference(table, attacked, control, names, target),
    )


def pairs_distance(table: pl.DataFrame, rows: pl.DataFrame, columns: tuple[Column, ...]) -> float:
    """Total variation distance between the two, of two columns together at the detail of their domains, mean over all pairs."""
    if not table.height or not rows.height:
        return 1.0
    left, right = ([column.encoded(frame[column.name]) for column in columns] for frame in (table, rows))
    found = []
    for one, other in combinations(range(len(columns)), 2):
        size = columns[other].size
        cells = columns[one].size * size
        shares = [
            np.bincount(side[one].astype(np.int64) * size + side[other], minlength=cells) / len(side[one])
            for side in (left, right)
        ]
        found.append(float(np.abs(shares[0] - shares[1]).sum()) / 2)
    return float(np.mean(found)) if found else 0.0


def area(train: pl.DataFrame, test: pl.DataFrame, target: str, positive: str, seed: int) -> float | None:
    """Area under the curve on `test` of gradient boosting that learnt from `train`; None where either has one class only."""
    from sklearn.metrics import roc_auc_score

    from anon_platform.policy.model import Target
    from anon_platform.validate.prediction.learners import encoded, learnt

    model = Model(
        target=Target(column=target, positive=positive),
        features=tuple(name for name in test.columns if name not in {target, PERSON}),
        test_share=0.5,
        seed=seed,
    )
    sampled = train.sample(min(LEARNT, train.height), seed=seed, shuffle=True)
    truth, wanted = (
        (rows[target].cast(pl.String) == positive).fill_null(value=False).to_numpy()
        for rows in (sampled, test)
    )
    if len(set(truth)) < 2 or len(set(wanted)) < 2:  # noqa: PLR2004 - two classes
        return None
    rows = encoded(sampled, truth, test, model)
    return float(roc_auc_score(wanted, learnt(rows, "gradient_boosting", seed).scores(rows.test)))


def _is_found(domain: Domain) -> bool:
    return (isinstance(domain, Categories) and domain.values == "found") or (
        isinstance(domain, Numbers) and domain.bins == "found"
    )


def _one_each(rows: pl.DataFrame, most: int, rng: np.random.Generator) -> pl.DataFrame:
    """One row of each of so many people at most."""
    order = rng.permutation(rows.height)
    return rows[order].unique(PERSON, keep="first", maintain_order=True).head(most)


def _singling_out(
    table: pl.DataFrame,
    members: pl.DataFrame,
    others: pl.DataFrame,
    names: list[str],
    rng: np.random.Generator,
) -> Risk:
    """Predicates drawn from the table, on equally many people who are in the data and who are not."""
    number = min(members[PERSON].n_unique(), others[PERSON].n_unique())
    shares = []
    drawn = None
    for rows in (members, others):
        chosen = rows[PERSON].unique(maintain_order=True).head(number)
        some = rows.filter(pl.col(PERSON).is_in(chosen.implode()))
        columns = sides(some, table, names)
        drawn = drawn or drawn_predicates(columns, PREDICATES, TOGETHER, rng)
        shares.append(singled_out(drawn, columns, some[PERSON].to_numpy(), CONFIDENCE))
    return residual(shares[0], shares[1], CONFIDENCE)


def _linkability(
    table: pl.DataFrame,
    members: pl.DataFrame,
    others: pl.DataFrame,
    names: list[str],
    rng: np.random.Generator,
) -> Risk:
    """Whether the nearest row of the table is the same for two halves of a person's record."""
    shares = [
        linked_parts(
            sides(people, table, names[::2]), sides(people, table, names[1::2]), NEIGHBOURS, rng, CONFIDENCE
        )
        for people in (members, others)
    ]
    return residual(shares[0], shares[1], CONFIDENCE)


def _inference(
    table: pl.DataFrame, members: pl.DataFrame, others: pl.DataFrame, names: list[str], secret: str
) -> Risk:
    known = [name for name in names if name != secret]
    shares = [
        guessed(sides(people, table, known), people[secret], table[secret], TOLERANCE, CONFIDENCE)
        for people in (members, others)
    ]
    return residual(shares[0], shares[1], CONFIDENCE)
