"""Models that cannot be trained are refused before anything is measured."""

import re
from typing import Any

import pytest

from anon_platform.dp.domain import Categories, Domain, Numbers
from anon_platform.dp.loss import Loss
from anon_platform.dp.models import check, expected
from anon_platform.errors import BudgetError, PolicyError
from anon_platform_tests.dp.model_visits import DOMAINS, said


@pytest.mark.parametrize(
    ("changes", "domains", "message"),
    [
        (
            {"features": ("age", "zip")},
            {},
            "model: the feature zip has no domain; the columns are age, back, day, sex",
        ),
        (
            {"target": {"column": "zip", "positive": "1"}},
            {},
            "model: the target zip has no domain; the columns are age, back, day, sex",
        ),
        (
            {},
            {"sex": Categories(kind="categories", values="found")},
            "model: the domain of the feature sex is to be found; name it in full",
        ),
        (
            {},
            {"age": Numbers(kind="numbers", bounds=(0, 9), bins="found")},
            "model: the domain of the feature age is to be found; name it in full",
        ),
        (
            {"target": {"column": "age", "positive": 3}, "features": ("sex",)},
            {},
            "model: the target age holds numbers; write its domain as categories, and those to predict",
        ),
        (
            {"target": {"column": "back", "positive": "never"}},
            {},
            "model: target.positive names what is no category of back; name one of its domain",
        ),
        (
            {"target": {"column": "back", "positive": ["no", "later", "soon"]}},
            {},
            "model: all categories of back are positive; leave out at least one",
        ),
    ],
)
def test_what_does_not_fit_is_refused(
    changes: dict[str, Any], domains: dict[str, Domain], message: str
) -> None:
    with pytest.raises(PolicyError, match=f"^{re.escape(message)}$"):
        check(said(**changes), DOMAINS | domains, set())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": ("age", "age")}, "a feature stands twice; keep one"),
        ({"features": ("age", "back")}, "the target cannot be a feature; remove it from the features"),
        ({"clip": 0}, "greater than 0"),
        ({"held_out": 0.7}, "less than or equal to 0.5"),
    ],
)
def test_wrong_settings_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        said(**changes)


def test_a_loss_for_which_there_is_no_noise_is_refused() -> None:
    with pytest.raises(BudgetError, match="nothing of the privacy budget is left for this measurement"):
        expected(said(rounds=1000), DOMAINS, set(), Loss("zcdp", 100), 1)
