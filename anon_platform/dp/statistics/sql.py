"""SQL that differential privacy can answer, read to statistics. It is read, never executed.

What is not known to be safe is refused: every part of the parsed query has to be one of those named here.
"""

import re
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from sqlglot import exp, parse, tokenize
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from anon_platform.dp.statistics.settings import Condition, Statistic
from anon_platform.errors import PolicyError

LONGEST = 10_000
"""Characters of a query."""

POSSIBLE = (
    "possible is: SELECT COUNT(*), COUNT(column), COUNT(DISTINCT person), SUM, AVG, VARIANCE, MEDIAN, QUANTILE(column, 0.9),"
    " HISTOGRAM(column) FROM table WHERE comparisons joined by AND GROUP BY columns"
)

_DIALECT = "duckdb"
_NAME = r"[A-Za-z_][A-Za-z0-9_]{0,59}"
_NOW = {
    "at_least": exp.GTE,
    "at_most": exp.LTE,
    "above": exp.GT,
    "below": exp.LT,
    "equals": exp.EQ,
    "differs_from": exp.NEQ,
}
_TURNED = {"at_least": "at_most", "at_most": "at_least", "above": "below", "below": "above"}
_DENIED = {
    "at_least": "below", "at_most": "above", "above": "at_most", "below": "at_least",
    "equals": "differs_from", "differs_from": "equals",
}  # fmt: skip
_CLAUSES = {
    "joins": "a join", "having": "HAVING", "order": "ORDER BY", "limit": "LIMIT", "offset": "OFFSET",
    "distinct": "SELECT DISTINCT", "with_": "WITH", "qualify": "QUALIFY", "windows": "WINDOW", "sample": "a sample",
    "laterals": "LATERAL", "into": "INTO", "pivots": "PIVOT", "alias": "another name for the table",
    "all": "GROUP BY ALL", "query": "a subquery", "db": "a name before that of the table", "table": "a name before that of the column",
}  # fmt: skip
_OF_COLUMN: dict[type[exp.Expression], str] = {
    exp.Sum: "sum", exp.Avg: "mean", exp.Variance: "variance", exp.VariancePop: "variance", exp.Median: "quantiles",
}  # fmt: skip


def parse_sql(sql: str, table: str, person: str) -> tuple[Statistic, ...]:
    """The statistics that a query asks for, one a selected aggregate, in equal shares.

    table: the name that FROM has to give. person: the column that COUNT(DISTINCT …) may name. Names of columns are written
    as in the dataset, in capitals or not; VARIANCE is divided by the number of values. Raises `PolicyError` for everything
    else, with the place and what is possible.
    """
    query = _parsed(sql)
    _require_parts(query, {"expressions", "from_", "where", "group"})
    _require_table(query, table)
    where = tuple(_conditions(query))
    by = _grouped(query)
    found: list[Statistic] = []
    for selected in query.expressions:
        column = selected.this if isinstance(selected, exp.Alias) else selected
        if isinstance(column, exp.Column):
            if _column(column) not in by:
                raise _refused(column, f"column {column.name} of single rows", "name it under GROUP BY too")
            continue
        asked = _aggregate(column, person)
        name = _named(selected, asked, [one.name for one in found])
        found.append(_checked(Statistic, {"name": name, "by": by, "where": where, **asked}, column))
    if not found:
        raise PolicyError(f"SQL: nothing is counted or averaged; {POSSIBLE}")
    return tuple(found)


def _parsed(sql: str) -> exp.Select:
    """The one SELECT of the text; comments are read over."""
    if len(sql) > LONGEST:
        raise PolicyError(f"SQL: longer than {LONGEST:,} characters; ask for less at once")
    try:
        tokens = tokenize(sql, read=_DIALECT)
        _require_select(tokens)
        statements = parse(sql, read=_DIALECT)
    except SqlglotError as error:
        raise PolicyError(f"SQL: it cannot be read{_place_of_error(error)}; {POSSIBLE}") from None
    except RecursionError:
        raise PolicyError(f"SQL: it is nested too deeply; {POSSIBLE}") from None
    match [one for one in statements if one is not None and not isinstance(one, exp.Semicolon)]:
        case [exp.Select() as query]:
            return query
    raise PolicyError(f"SQL: one SELECT at a time, without UNION; {POSSIBLE}")


def _require_select(tokens: list[Token]) -> None:
    """Before parsing, since a parser takes other statements apart as it likes, and says so in the log."""
    if not tokens or tokens[0].token_type != TokenType.SELECT:
        place = f" (near line {tokens[0].line}, column {tokens[0].col})" if tokens else ""
        raise PolicyError(f"SQL: it does not begin with SELECT{place}; {POSSIBLE}")
    ends = [at for at, token in enumerate(tokens) if token.token_type == TokenType.SEMICOLON]
    if ends and ends[0] != len(tokens) - 1:
        after = tokens[ends[0] + 1]
        raise PolicyError(
            f"SQL: several statements (near line {after.line}, column {after.col}); ask for one at a time"
        )


def _place_of_error(error: SqlglotError) -> str:
    details = getattr(error, "errors", None) or [{}]
    line, column = details[0].get("line"), details[0].get("col")
    return f" (near line {line}, column {column})" if line and column else ""


def _place(node: exp.Expression) -> str:
    """Where the first name or constant in it stands, as far as the parser remembers."""
    places = [
        (meta["line"], meta["col"] - (meta["end"] - meta["start"]))
        for meta in (part.meta for part in node.walk())
        if {"line", "col", "start", "end"} <= set(meta)
    ]
    return f" (near line {min(places)[0]}, column {min(places)[1]})" if places else ""


def _refused(node: exp.Expression, what: str, way_out: str = POSSIBLE) -> PolicyError:
    return PolicyError(f"SQL: {what}{_place(node)} cannot be answered; {way_out}")


def _require_parts(node: exp.Expression, parts: set[str]) -> None:
    """Raises where the node has more than these parts: a clause, an option, a modifier."""
    for name, part in node.args.items():
        if name in parts or part is None or part is False or part == []:
            continue
        inner = part[0] if isinstance(part, list) else part
        at = inner if isinstance(inner, exp.Expression) else node
        raise _refused(at, _CLAUSES.get(name, f"{name.strip('_')} in {node.key.upper()}"))


def _require_table(query: exp.Select, table: str) -> None:
    source = query.args.get("from_")
    if source is None:
        raise PolicyError(f"SQL: no FROM; write FROM {table}")
    _require_parts(source, {"this"})
    if not isinstance(source.this, exp.Table) or not isinstance(source.this.this, exp.Identifier):
        raise _refused(source, "a subquery or function after FROM")
    _require_parts(source.this, {"this"})
    if source.this.name != table:
        raise PolicyError(f"SQL: there is no such table{_place(source)}; write FROM {table}")


def _column(node: object) -> str:
    """The name of a plain column."""
    if not isinstance(node, exp.Column) or not isinstance(node.this, exp.Identifier):
        at = node if isinstance(node, exp.Expression) else exp.Null()
        raise _refused(at, "anything but the plain name of a column")
    _require_parts(node, {"this"})
    return str(node.this.this)


def _grouped(query: exp.Select) -> tuple[str, ...]:
    group = query.args.get("group")
    if group is None:
        return ()
    _require_parts(group, {"expressions"})
    return tuple(_column(column) for column in group.expressions)


def _aggregate(node: exp.Expression, person: str) -> dict[str, Any]:
    """Measure and column of a selected aggregate."""
    if isinstance(node, exp.Count):
        return _count(node, person)
    if type(node) in _OF_COLUMN:
        _require_parts(node, {"this"})
        shares = {"quantiles": (0.5,)} if isinstance(node, exp.Median) else {}
        return {"measure": _OF_COLUMN[type(node)], "of": _column(node.this), **shares}
    if isinstance(node, exp.Quantile):
        _require_parts(node, {"this", "quantile"})
        share = _constant(node.args.get("quantile"), node)
        if isinstance(share, bool) or not isinstance(share, int | float):
            raise _refused(node, "a quantile that is no number", "write QUANTILE(column, 0.9)")
        return {"measure": "quantiles", "of": _column(node.this), "quantiles": (float(share),)}
    if isinstance(node, exp.Anonymous) and isinstance(node.this, str):
        called = {"mean": "mean", "histogram": "histogram"}.get(node.this.lower())
        if called and len(node.expressions) == 1:
            _require_parts(node, {"this", "expressions"})
            return {"measure": called, "of": _column(node.expressions[0])}
    raise _refused(node, "what is selected here")


def _count(node: exp.Count, person: str) -> dict[str, Any]:
    _require_parts(node, {"this", "big_int"})
    counted = node.this
    if isinstance(counted, exp.Star):
        _require_parts(counted, set())
        return {"measure": "count"}
    if isinstance(counted, exp.Distinct):
        _require_parts(counted, {"expressions"})
        if len(counted.expressions) != 1 or _column(counted.expressions[0]) != person:
            raise _refused(
                node,
                "COUNT(DISTINCT …) of other than people",
                f"write COUNT(DISTINCT {person}), or GROUP BY the column",
            )
        return {"measure": "people"}
    return {"measure": "count", "of": _column(counted)}


def _named(selected: exp.Expression, asked: dict[str, Any], taken: list[str]) -> str:
    """The alias, or a name of what is measured that is not taken."""
    if isinstance(selected, exp.Alias):
        _require_parts(selected, {"this", "alias"})
        name = str(selected.alias)
        if not re.fullmatch(_NAME, name):
            raise _refused(selected, "this name of a result", "write letters, digits and _ after AS")
        return name
    name = "_".join(str(part) for part in (asked["measure"], asked.get("of")) if part)
    name = "".join(sign if sign.isascii() and sign.isalnum() else "_" for sign in name)[:50]
    number = 2
    found = name
    while found in taken:
        found, number = f"{name}_{number}", number + 1
    return found


def _conditions(query: exp.Select) -> Iterator[Condition]:
    where = query.args.get("where")
    if where is None:
        return
    _require_parts(where, {"this"})
    waiting = [where.this]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, exp.And):
            _require_parts(node, {"this", "expression"})
            waiting = [node.this, node.expression, *waiting]
        elif isinstance(node, exp.Paren):
            waiting.insert(0, node.this)
        else:
            yield _checked(Condition, _condition(node), node)


def _condition(node: exp.Expression) -> dict[str, Any]:
    denied = False
    inner = node
    while isinstance(inner, exp.Not | exp.Paren):
        _require_parts(inner, {"this"})
        denied ^= isinstance(inner, exp.Not)
        inner = inner.this
    if isinstance(inner, exp.In):
        _require_parts(inner, {"this", "expressions"})
        values = tuple(_constant(value, inner) for value in inner.expressions)
        return {"column": _column(inner.this), "none_of" if denied else "one_of": values}
    if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null):
        _require_parts(inner, {"this", "expression"})
        return {"column": _column(inner.this), "missing": not denied}
    if isinstance(inner, exp.Between) and not denied:
        _require_parts(inner, {"this", "low", "high"})
        ends = (_constant(inner.args[end], inner) for end in ("low", "high"))
        return {"column": _column(inner.this), **dict(zip(("at_least", "at_most"), ends, strict=True))}
    for name, kind in _NOW.items():
        if isinstance(inner, kind):
            _require_parts(inner, {"this", "expression"})
            return _comparison(inner, _DENIED[name] if denied else name)
    word = "OR" if isinstance(inner, exp.Or) else "this condition"
    raise _refused(inner, f"{word} under WHERE")


def _comparison(node: exp.Expression, name: str) -> dict[str, Any]:
    if isinstance(node.expression, exp.Column) and not isinstance(node.this, exp.Column):
        turned = _TURNED.get(name, name)
        return {"column": _column(node.expression), turned: _constant(node.this, node)}
    return {"column": _column(node.this), name: _constant(node.expression, node)}


def _constant(node: object, of: exp.Expression) -> object:
    """The text, number, truth value or day that is written."""
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal) and not node.this.is_string:
        value = _constant(node.this, of)
        return -value if isinstance(value, int | float) else value
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if type(node) is exp.Cast and isinstance(node.this, exp.Literal) and node.to.is_type("date"):
        return str(node.this.this)
    if isinstance(node, exp.Literal):
        if node.is_string:
            return str(node.this)
        try:
            return int(node.this) if node.this.isdigit() else float(node.this)
        except ValueError:
            raise _refused(of, "a number that is written so") from None
    raise _refused(of, "a comparison with other than a constant")


def _checked(kind: Any, settings: dict[str, Any], node: exp.Expression) -> Any:  # noqa: ANN401
    """The settings object, or why it is none, without the constants that were written."""
    try:
        return kind(**settings)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise PolicyError(f"SQL: {str(first['msg']).removeprefix('Value error, ')}{_place(node)}") from None
