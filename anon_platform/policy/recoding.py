"""How quasi-identifiers are generalized to reach the thresholds."""

from typing import Literal, Self

from pydantic import Field, model_validator

from anon_platform.spec import Spec


class Mondrian(Spec):
    """Classes from the top down, as LeFevre et al. 2006: quicker to explain than the best, and coarser."""

    split: Literal["median", "best_loss"]
    """The widest column at its median, or the column and the cut that lose least."""
    strict: bool
    """Whether equal values of a column stay together; if not, those at the median may be divided."""


class Recoding(Spec):
    """One level a column, the same for every record; or each class of records just as far as it needs.

    Local recoding loses much less at the same k, but the same value stands at several levels of detail in the release.
    """

    model: Literal["full_domain", "local"] = "full_domain"
    """full_domain: an optimal level for each column. local: classes of their own; not for linked rows and population tables."""
    labels: Literal["hierarchy", "intervals"] | None = None
    """For local: labels of the hierarchies, or intervals of numbers and sets of other values. Hierarchy when left out."""
    effort: Literal["fast", "best"] | None = None
    """For local: the classes found first, or these improved in several times the time. Best when left out."""
    mondrian: Mondrian | None = None
    """For local: divide from the top down as it says, in place of looking for the best classes."""
    seconds: float | None = Field(default=None, gt=0)
    """For full_domain: the search ends after so long with the best levels so far; two runs may differ then."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.model == "full_domain" and (self.labels, self.effort, self.mondrian) != (None, None, None):
            raise ValueError(
                "labels, effort and mondrian are for model: local; remove them, or write model: local"
            )
        if self.mondrian is not None and self.effort is not None:
            raise ValueError("mondrian knows no effort; remove one of both")
        if self.model == "local" and self.seconds is not None:
            raise ValueError("seconds is for model: full_domain; remove it, or write effort: fast")
        return self

    def in_words(self) -> str:
        """What is searched, in a few words."""
        if self.model == "full_domain":
            return "search the levels" + (f" for {self.seconds:g} s" if self.seconds is not None else "")
        labels = "intervals and sets" if self.labels == "intervals" else "labels of the hierarchies"
        how = f"Mondrian, {self.mondrian.split.replace('_', ' ')}" if self.mondrian else self.effort or "best"
        return f"search classes ({labels}, {how})"
