"""Singling out, linkability and inference, on people of the source and on control people or by blind guesses."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from anon_platform.policy import Attacks
from anon_platform.policy.attacks import Attempted
from anon_platform.table import PERSON, ROW
from anon_platform.validate.attacks.inference import guessed, guessed_blindly
from anon_platform.validate.attacks.intervals import Risk, Share, residual
from anon_platform.validate.attacks.linkability import linked_blindly, linked_parts
from anon_platform.validate.attacks.sides import Sides, sides
from anon_platform.validate.attacks.singling_out import blind_predicates, drawn_predicates, singled_out
from anon_platform.validate.files import alike, read_released
from anon_platform.validate.metric import Metric, most

if TYPE_CHECKING:  # the evidence holds what the attacks read
    from anon_platform.validate.evidence import Evidence

LEAST = 50
"""Attempts below which an attack says too little."""


def attack_people(
    evidence: "Evidence", attacks: Attacks, say: Callable[[str], None]
) -> tuple[list[Metric], dict[str, Any]]:
    """Every such attack of the policy; detail: by attack the risks with both success rates."""
    metrics: list[Metric] = []
    detail: dict[str, Any] = {}
    run = _Run(evidence, attacks)
    attacked: list[tuple[str, Attempted | None, Callable[[], dict[str, Risk]]]] = [
        ("singling_out", attacks.singling_out, run.singling_out),
        ("linkability", attacks.linkability, run.linkability),
        ("inference", attacks.inference, run.inference),
    ]
    for name, attack, tried in attacked:
        if attack is None:
            continue
        say(f"attack: {name.replace('_', ' ')}")
        risks = tried()
        metrics += [
            _metric(name, what, risk, attack.at_most, attacks.confidence) for what, risk in risks.items()
        ]
        detail[name] = {
            "at_most": attack.at_most,
            "control": "control people" if evidence.control is not None else "blind guesses",
            "risks": {what: asdict(risk) for what, risk in risks.items()},
            **attack.model_dump(mode="json", exclude={"at_most"}),
        }
    return metrics, detail


def _metric(check: str, name: str, risk: Risk, limit: float, confidence: float) -> Metric:
    few = min(risk.main.n, risk.control.n)
    if few < LEAST:
        return Metric(
            check=check, name=name, value=None, threshold=limit, at_least=False, passed=False, unit="probability",
            note=f"fewer than {LEAST} attempts could be made, which is too few to say anything",
        )  # fmt: skip
    metric = most(check, name, risk.high, limit, "probability")
    note = f"upper end of the {confidence * 100:g} % interval, {risk.main.n:,} attempts"
    return metric.model_copy(update={"note": "; ".join(filter(None, [metric.note, note]))})


class _Run:
    """The people who are attacked, and the columns as both sides see them."""

    def __init__(self, evidence: "Evidence", attacks: Attacks) -> None:
        self.evidence, self.attacks = evidence, attacks
        self.control = evidence.control

    @cached_property
    def columns(self) -> list[str]:
        """Every column that some attack looks at."""
        a = self.attacks
        named = [
            *(a.singling_out.columns if a.singling_out else ()),
            *((*a.linkability.one, *a.linkability.other) if a.linkability else ()),
            *((*a.inference.known, *a.inference.secrets) if a.inference else ()),
        ]
        return list(dict.fromkeys(named))

    @cached_property
    def released(self) -> pl.DataFrame:
        """The released rows."""
        return read_released(self.evidence.data, self.columns)

    @cached_property
    def original(self) -> pl.DataFrame:
        """The rows of the source, perturbed columns as they were."""
        return pl.concat(self.evidence.source.batches([ROW, PERSON, *self.columns]))

    def targets(self, number: int) -> pl.DataFrame:
        """One released row of each of so many people at most, as it was before."""
        kept = self.evidence.kept.select(ROW, PERSON)
        order = np.random.default_rng([self.attacks.seed, 101]).permutation(kept.height)
        one_each = kept[order].unique(PERSON, keep="first", maintain_order=True).head(number)
        return self.original.join(one_each.select(ROW), on=ROW, how="semi").drop(ROW)

    def others(self, number: int) -> pl.DataFrame | None:
        """One row of each of so many control people at most; None without any."""
        if self.control is None:
            return None
        order = np.random.default_rng([self.attacks.seed, 102]).permutation(self.control.height)
        one_each = self.control[order].unique(PERSON, keep="first", maintain_order=True).head(number)
        return one_each.select(PERSON, *self.columns)

    def both_sides(self, people: pl.DataFrame, names: Sequence[str]) -> list[Sides]:
        """Columns of these people, at released detail, beside the released ones."""
        evidence, released = self.evidence, self.released
        theirs: dict[str, pl.Series] = {}
        mine: dict[str, pl.Series] = {}
        related: dict[str, pl.DataFrame] = {}
        for name in dict.fromkeys(names):
            if name in evidence.related:
                labels = released[name].cast(pl.String)
                related[name] = evidence.related[name](people[name], labels)
                mine[name], theirs[name] = people[name].cast(pl.String), labels
            else:
                wanted, found = alike(evidence.treat[name](people[name]), released[name])
                mine[name], theirs[name] = wanted, found
        frames = pl.DataFrame({n: v.alias(n) for n, v in mine.items()}), pl.DataFrame(theirs)
        return sides(*frames, list(names), related)

    def rng(self, number: int) -> np.random.Generator:
        """Draws of one attack."""
        return np.random.default_rng([self.attacks.seed, number])

    def _risk(self, main: Share, control: Share) -> Risk:
        """Beyond what works on control people; without any nothing is taken off, the blind guesses only stand beside."""
        if self.control is None:
            return Risk(main, control, main.value, main.low, main.high)
        return residual(main, control, self.attacks.confidence)

    def singling_out(self) -> dict[str, Risk]:
        """Predicates on everybody of the source; against as many control people, or blind predicates."""
        attack = self.attacks.singling_out
        assert attack is not None
        confidence, people = self.attacks.confidence, self.original
        if self.control is not None:
            people, others = _equally_many(people, self.control, self.rng(1))
            on_others = self.both_sides(others, attack.columns)
        columns = self.both_sides(people, attack.columns)
        drawn = drawn_predicates(columns, attack.attempts, attack.together, self.rng(2))
        main = singled_out(drawn, columns, people[PERSON].to_numpy(), confidence)
        if self.control is not None:
            # the released side is the same, so that a predicate means the same on both
            control = singled_out(drawn, on_others, others[PERSON].to_numpy(), confidence)
        else:
            blind = blind_predicates(columns, attack.attempts, attack.together, self.rng(3))
            control = singled_out(blind, columns, people[PERSON].to_numpy(), confidence)
        return {"singling out": self._risk(main, control)}

    def linkability(self) -> dict[str, Risk]:
        """Two parts of one record of each person."""
        attack = self.attacks.linkability
        assert attack is not None
        confidence, k, one, other = self.attacks.confidence, attack.neighbours, attack.one, attack.other

        def tried(people: pl.DataFrame, number: int) -> Share:
            parts = [self.both_sides(people, names) for names in (one, other)]
            return linked_parts(parts[0], parts[1], k, self.rng(number), confidence)

        main = tried(self.targets(attack.attempts), 4)
        others = self.others(attack.attempts)
        control = (
            linked_blindly(self.released.height, main.n, k, self.rng(5), confidence)
            if others is None
            else tried(others, 6)
        )
        return {"linkability": self._risk(main, control)}

    def inference(self) -> dict[str, Risk]:
        """Each secret alone."""
        attack = self.attacks.inference
        assert attack is not None
        confidence, tolerance = self.attacks.confidence, attack.tolerance
        targets, others = self.targets(attack.attempts), self.others(attack.attempts)
        known = self.both_sides(targets, attack.known)
        known_of_others = None if others is None else self.both_sides(others, attack.known)
        found = {}
        for secret in attack.secrets:
            truth, released = alike(self.evidence.treat[secret](targets[secret]), self.released[secret])
            main = guessed(known, truth, released, tolerance, confidence)
            if others is None or known_of_others is None:
                control = guessed_blindly(truth, released, tolerance, confidence)
            else:
                theirs, _ = alike(self.evidence.treat[secret](others[secret]), self.released[secret])
                control = guessed(known_of_others, theirs, released, tolerance, confidence)
            found[f"inference of {secret}"] = residual(main, control, confidence)
        return found


def _equally_many(
    people: pl.DataFrame, others: pl.DataFrame, rng: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Both with equally many people: what singles out one of many need not single out one of few."""
    number = min(people[PERSON].n_unique(), others[PERSON].n_unique())

    def drawn(rows: pl.DataFrame) -> pl.DataFrame:
        everybody = rows[PERSON].unique().sort()
        chosen = everybody.gather(np.sort(rng.permutation(len(everybody))[:number]))
        return rows.filter(pl.col(PERSON).is_in(chosen.implode()))

    return drawn(people), drawn(others)
