"""Several columns together: pairs, three at a time, all of them for telling records apart, and queries."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from anon_platform.policy import Utility
from anon_platform.validate.evidence import Evidence
from anon_platform.validate.metric import Metric
from anon_platform.validate.utility.coded import Coded, People, coded
from anon_platform.validate.utility.compared import Compared
from anon_platform.validate.utility.limits import Limits
from anon_platform.validate.utility.listed import listed_answers
from anon_platform.validate.utility.marginals import Marginals, measure_marginals
from anon_platform.validate.utility.pairs import ROWS, Pairs, measure_pairs, worst_in_words
from anon_platform.validate.utility.propensity import Propensity, measure_propensity
from anon_platform.validate.utility.queries import Errors, answers, errors_of, workload


@dataclass(frozen=True)
class Queries:
    """errors: of all queries together; None without any. listed: of each that the policy lists, by name. faults: why some have none."""

    errors: Errors | None
    listed: dict[str, Errors]
    faults: dict[str, str]


def measure_together(
    evidence: Evidence, utility: Utility, columns: Mapping[str, Compared], say: Callable[[str], None]
) -> dict[str, Any]:
    """By name what was measured, None where nothing can be: pairs, marginals, propensity, queries."""
    say("columns row by row")
    known = {
        name: coded(evidence, column, _rng(utility, place))
        for place, (name, column) in enumerate(columns.items())
        if column.whole and column.after.height
    }
    people = People.of(evidence)
    say("pairs of columns")
    rng = _rng(utility, len(columns))
    pairs = measure_pairs(known, people.drawn(ROWS, rng), rng)
    say("three columns together")
    marginals = measure_marginals(known, utility.marginals, _rng(utility, len(columns) + 1))
    say("telling records apart")
    propensity = measure_propensity(known, people, _rng(utility, len(columns) + 2))
    say("queries")
    queries = measure_queries(evidence, utility, columns, known)
    return {"pairs": pairs, "marginals": marginals, "propensity": propensity, "queries": queries}


def _rng(utility: Utility, place: int) -> np.random.Generator:
    return np.random.default_rng([utility.seed, place])


def measure_queries(
    evidence: Evidence, utility: Utility, columns: Mapping[str, Compared], known: Mapping[str, Coded]
) -> Queries:
    """Errors of the queries that the policy lists; without any, of a workload that is made from the columns."""
    records = evidence.source.rows
    if utility.queries:
        found, faults, everything = {}, {}, []
        for query in utility.queries:
            told = listed_answers(evidence, columns, known, query)
            errors = None if isinstance(told, str) else errors_of(told, records)
            if isinstance(told, str) or errors is None:
                faults[query.name] = told if isinstance(told, str) else "no record is about it"
            else:
                found[query.name] = errors
                everything += told
        return Queries(errors_of(everything, records), found, faults)
    if not known:
        return Queries(None, {}, {})
    types = evidence.source.schema
    numbers = [
        name for name, column in known.items() if column.number is not None and types[name].is_numeric()
    ]
    asked = workload(known, numbers, utility.workload, _rng(utility, len(columns) + 3))
    return Queries(errors_of(answers(known, asked), records), {}, {})


def together_metrics(found: Mapping[str, Any], limits: Limits) -> Iterator[Metric]:
    """The measures beside their limits."""
    yield from _of_pairs(found["pairs"], limits)
    yield from _of_marginals(found["marginals"], limits)
    yield from _of_propensity(found["propensity"], limits)
    yield from _of_queries(found["queries"], limits)


def _of_pairs(pairs: Pairs | None, limits: Limits) -> Iterator[Metric]:
    name, value, note = "mean pair difference", None, ""
    if pairs is not None:
        value = pairs.mean
        note = f"largest {pairs.largest:.3f}, {worst_in_words(pairs.worst)}; {pairs.compared} pairs"
    unit = "distance of associations"
    yield from limits.beside("pair_difference", "statistical_fidelity", name, value, unit, note=note)


def _of_marginals(marginals: Marginals | None, limits: Limits) -> Iterator[Metric]:
    value, note = None, ""
    if marginals is not None:
        value, note = (
            marginals.score,
            f"{marginals.drawn} of {marginals.all} combinations of {marginals.order}",
        )
    yield from limits.beside(
        "k_marginal", "statistical_fidelity", "k-marginal score", value, "of 1000", at_least=True, note=note
    )


def _of_propensity(propensity: Propensity | None, limits: Limits) -> Iterator[Metric]:
    value, note = None, ""
    if propensity is not None:
        value = propensity.ratio
        note = f"pMSE {propensity.pmse:.4f}, by chance {propensity.expected:.4f}"
    unit = "times what chance gives"
    yield from limits.beside("pmse_ratio", "statistical_fidelity", "pMSE ratio", value, unit, note=note)


def _of_queries(queries: Queries, limits: Limits) -> Iterator[Metric]:
    check, unit = "query_accuracy", "share of the truth"
    errors = queries.errors
    faults = [f"{name}: {text}" for name, text in queries.faults.items()]
    # a listed query that has no answer is no better than a wrong one
    value = None if errors is None or faults else errors.median_relative
    note = "; ".join(faults) or ("" if errors is None else f"{errors.queries} answers")
    yield from limits.beside("query_error", check, "median query error", value, unit, note=note)
    if errors is not None:
        yield from limits.beside(None, check, "95th percentile of query errors", errors.high_relative, unit)
