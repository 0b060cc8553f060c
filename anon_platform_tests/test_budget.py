"""The privacy budget on both databases: what is granted, what is refused, and what each state allows."""

import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from subprocess import PIPE

import pytest

from anon_platform.dp import Loss, epsilon_of, loss_of
from anon_platform.errors import BudgetError, IntegrityError
from anon_platform.ledger import Budget, Cap, Caps, Ledger
from anon_platform_tests.budget_requests import PURE, request

GAUSSIAN = Cap(1.0, 1e-6)
"""Not beside `PURE`: the processes of the race need not wait for OpenDP."""

RACERS = 8
EACH = 10
FITTING = 50

RACE = f"""
import sys
from anon_platform.errors import BudgetError
from anon_platform.ledger import Budget, Cap, Ledger
from anon_platform_tests.budget_requests import request
print("ready", flush=True)
sys.stdin.readline()
granted = 0
with Ledger.open() as ledger:
    for number in range({EACH}):
        try:
            Budget(ledger).reserve(request(f"{{sys.argv[1]}}-{{number}}", 0.01, Cap({FITTING / 100}, 0.0)))
        except BudgetError:
            continue
        granted += 1
print(granted)
"""


@pytest.fixture
def budget(ledger: Ledger) -> Budget:
    return Budget(ledger)


def refusal(budget: Budget, *arguments: object, **named: object) -> str:
    """What a refused request is told; nothing was written."""
    before = budget._ledger.head()  # noqa: SLF001 - the chain is what must not grow
    wanted = request(*arguments, **named)  # type: ignore[arg-type]
    fit = budget.would_fit(wanted)
    with pytest.raises(BudgetError) as refused:
        budget.reserve(wanted)
    assert budget._ledger.head() == before  # noqa: SLF001
    assert not fit
    assert fit.reason == str(refused.value)
    return str(refused.value)


def test_eight_processes_that_race_for_the_last_of_the_budget_get_exactly_what_fits(database: str) -> None:
    """80 requests of 0.01 for 0.5: 50 are granted, whoever comes first."""
    with ExitStack() as stack:
        processes = []
        for number in range(RACERS):
            command = [sys.executable, "-c", RACE, str(number)]
            process = subprocess.Popen(command, text=True, stdin=PIPE, stdout=PIPE, stderr=PIPE)
            processes.append(stack.enter_context(process))
            stack.callback(process.kill)
        assert {process.stdout and process.stdout.readline() for process in processes} == {"ready\n"}
        for process in processes:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        told = [process.communicate(timeout=100) for process in processes]
    assert [errors for _, errors in told] == [""] * RACERS
    assert sum(int(granted) for granted, _ in told) == FITTING
    with Ledger.open() as ledger:
        overall = Budget(ledger).balance("patients").overall
        assert (overall.reserved, overall.left) == (Loss("pure", 500_000_000), Loss("pure", 0))
        assert Counter(event.action for event in ledger.events()) == {
            "budget.capped": 2,
            "budget.reserved": FITTING,
        }
        assert ledger.verify().ok


def test_a_release_goes_from_reserved_to_spent_to_settled(budget: Budget) -> None:
    """And says at each step where it stands."""
    reserved = budget.reserve(request())
    assert (reserved.state, reserved.spent_at, reserved.counts) == ("reserved", "", True)
    spent = budget.spend("r1")
    assert spent == replace(reserved, state="spent", spent_at=spent.spent_at)
    assert spent.spent_at > reserved.reserved_at
    settled = budget.settle("r1", "refused")
    assert settled == replace(spent, state="settled", outcome="refused")
    assert budget.find("r1") == settled
    assert budget.balance("patients").overall.spent == request().loss


def test_noise_is_drawn_once_and_never_given_back(budget: Budget) -> None:
    """Also after a crash between noise and publication: then the release is dead, and its loss stays."""
    budget.reserve(request())
    budget.spend("r1")
    once = "release r1 is spent, not reserved; "
    with pytest.raises(BudgetError, match=f"^{once}noise is drawn once for a release: change the policy"):
        budget.spend("r1")
    with pytest.raises(BudgetError, match=f"^{once}what was drawn cannot be given back$"):
        budget.give_back("r1")
    budget.settle("r1")
    with pytest.raises(BudgetError, match=r"^release r1 is settled, not reserved; "):
        budget.give_back("r1")
    assert budget.balance("patients").overall.left == loss_of(0.9, 0)


def test_a_reservation_that_was_not_spent_is_given_back_and_can_be_made_anew(budget: Budget) -> None:
    """A run that failed before the noise costs nothing."""
    budget.reserve(request(epsilon=1.0))
    assert budget.give_back("r1").state == "returned"
    assert budget.find("r1") is None
    assert budget.balance("patients").overall.left == PURE.loss
    with pytest.raises(BudgetError, match=r"^release r1 is not reserved, not reserved; "):
        budget.spend("r1")
    assert budget.reserve(request(epsilon=0.5, recipient="team b")).state == "reserved"
    assert len(budget.balance("patients").releases) == 1


def test_what_was_not_reserved_or_spent_cannot_go_on(budget: Budget) -> None:
    """Each state follows from the one before."""
    for move in (budget.spend, budget.settle, budget.give_back):
        with pytest.raises(BudgetError, match=r"^release r1 is not reserved, not "):
            move("r1")
    budget.reserve(request())
    with pytest.raises(
        BudgetError, match=r"^release r1 is reserved, not spent; a release is settled after it was spent$"
    ):
        budget.settle("r1")


def test_a_retry_finds_its_reservation_and_writes_nothing(budget: Budget, ledger: Ledger) -> None:
    """In every state, though nothing more would fit."""
    wanted = request(epsilon=1.0)
    for step in (lambda: None, lambda: budget.spend("r1"), lambda: budget.settle("r1")):
        step()
        first = budget.find("r1") or budget.reserve(wanted)
        head = ledger.head()
        assert budget.reserve(wanted) == first
        assert budget.would_fit(wanted)
        assert ledger.head() == head
    assert budget.settle("r1", "again").outcome == "ok"


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (request(epsilon=0.2), "loss, epsilon"),
        (request(population="others"), "population"),
        (request(dataset="labs"), "dataset"),
        (request(recipient="team b"), "recipient"),
    ],
)
def test_another_request_under_the_same_id_is_an_integrity_error(
    budget: Budget, other: object, named: str
) -> None:
    """A release id is a hash of all that decides the release."""
    budget.reserve(request())
    for ask in (budget.reserve, budget.would_fit):
        with pytest.raises(
            IntegrityError, match=f"^release r1 is in the budget with another {named}; a release"
        ):
            ask(other)  # type: ignore[operator]


def test_a_tenth_three_times_fits_three_tenths_and_no_unit_more(budget: Budget) -> None:
    """In floats it is more."""
    cap = Cap(0.3, 0.0)
    for number in range(3):
        budget.reserve(request(f"r{number}", 0.1, cap))
    assert refusal(budget, "r3", 1e-9, cap, loss=Loss("pure", 1)) == (
        "population patients: ε = 0 at δ = 0 is left over all recipients of ε = 0.3 at δ = 0, this release asks for"
        " ε = 1e-09; ask for less, or raise the cap: anon budget raise patients --epsilon … --delta … --reason …"
    )


@pytest.mark.parametrize("cap", [PURE, GAUSSIAN], ids=["pure", "zcdp"])
def test_a_release_of_exactly_the_cap_fits_and_one_unit_more_does_not(budget: Budget, cap: Cap) -> None:
    """What is left is worth what is asked, to the last unit."""
    over = Loss(cap.rule, cap.loss.units + 1)
    told = refusal(budget, "r0", 1.001, cap, loss=over)
    asked = told.split("this release asks for ε = ")[1].split(";")[0]
    assert float(asked) > 1 >= float(told.split("ε = ")[1].split(" ")[0])
    budget.reserve(request("r1", 1.0, cap))
    overall = budget.balance("patients").overall
    assert overall.left.units == 0
    assert 1 - 1e-6 < overall.taken_epsilon <= 1


def test_zcdp_adds_up_to_less_than_basic_composition(budget: Budget) -> None:
    """Ten releases of ε = 0.1 at δ = 1e-6: basic composition says 1 at 1e-5, zCDP about 0.35 at 1e-6."""
    for number in range(10):
        budget.reserve(request(f"r{number}", 0.1, GAUSSIAN))
    overall = budget.balance("patients").overall
    assert (overall.basic_epsilon, overall.basic_delta) == (1.0, 1e-5)
    together = Loss("zcdp", 10 * request(epsilon=0.1, cap=GAUSSIAN).loss.units)
    assert overall.taken_epsilon == epsilon_of(together, 1e-6) < 0.4
    left = budget.left_for("patients", "team a", Caps(GAUSSIAN, GAUSSIAN))
    assert left == overall.left == Loss("zcdp", GAUSSIAN.loss.units - together.units)


def test_a_second_dataset_of_the_same_people_spends_from_the_same_account(budget: Budget) -> None:
    """Else a copy under a new name would double what may be lost."""
    budget.reserve(request("r1", 0.7))
    assert "ε = 0.3 at δ = 0 is left" in refusal(budget, "r2", 0.4, dataset="visits_copy")
    budget.reserve(request("r3", 0.4, dataset="visits_copy", population="others"))
    assert [balance.population for balance in budget.balances()] == ["others", "patients"]


def test_a_recipient_has_a_cap_of_its_own_beside_the_one_over_all(budget: Budget) -> None:
    """Recipients may share what they have, so the cap over all counts them together."""
    small = Cap(0.4, 0.0)
    budget.reserve(request("r1", 0.4, own=small))
    assert refusal(budget, "r2", 0.1, own=small).startswith(
        "population patients: ε = 0 at δ = 0 is left for team a of ε = 0.4 at δ = 0, this release asks for ε = 0.1; "
    )
    budget.reserve(request("r3", 0.4, own=small, recipient="team b"))
    big = Caps(PURE, PURE)
    assert budget.left_for("patients", "team c", big) == loss_of(0.2, 0)
    assert "over all recipients" in refusal(budget, "r4", 0.3, recipient="team c")
    shares = budget.balance("patients").recipients
    assert [(share.recipient, share.left) for share in shares] == [
        ("team a", Loss("pure", 0)),
        ("team b", Loss("pure", 0)),
    ]


def test_a_lower_cap_is_recorded_and_holds_for_the_policies_before(budget: Budget) -> None:
    """Whoever promised more learns of it at the next run."""
    budget.reserve(request("r1", 0.1))
    budget.reserve(request("r2", 0.1, Cap(0.5, 0.0)))
    assert refusal(budget, "r3", 0.1) == (
        "population patients: the policy states a cap over all recipients of ε = 1 at δ = 0, the ledger holds"
        " ε = 0.5 at δ = 0; state that one, or raise it: anon budget raise patients --epsilon 1 --delta 0 --reason …"
    )
    told = [
        (change.recipient, change.cap.epsilon, change.reason) for change in budget.balance("patients").changes
    ]
    assert told == [
        ("", 1.0, "first stated by a policy"),
        ("team a", 1.0, "first stated by a policy"),
        ("", 0.5, "lowered by a policy"),
        ("team a", 0.5, "lowered by a policy"),
    ]


def test_a_cap_is_raised_with_a_reason_only(
    budget: Budget, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger keeps who did it, and why."""
    monkeypatch.setenv("ANON_ACTOR", "privacy officer")
    budget.reserve(request("r1", 1.0))
    higher = Cap(1.5, 0.0)
    with pytest.raises(BudgetError, match=r"^a cap is raised for a reason; state it in one line$"):
        budget.raise_cap("patients", higher, reason=" ")
    budget.raise_cap("patients", higher, reason="board, 3 May")
    assert "for team a" in refusal(budget, "r2", 0.5, higher)
    budget.raise_cap("patients", higher, reason="board, 4 May", recipient="team a")
    budget.reserve(request("r2", 0.5, higher))
    raised = ledger.events(actions=["budget.capped"])[-1]
    assert (raised.actor, raised.details["reason"], raised.details["recipient"]) == (
        "privacy officer",
        "board, 4 May",
        "team a",
    )
    for cap, way_out in (
        (higher, "a policy lowers it"),
        (Cap(2.0, 1e-6), "settled by its first cap, for ever"),
    ):
        with pytest.raises(BudgetError, match=way_out):
            budget.raise_cap("patients", cap, reason="no")
    with pytest.raises(BudgetError, match=r"^no cap of patients, recipient team b to raise; "):
        budget.raise_cap("patients", Cap(2.0, 0.0), reason="no", recipient="team b")


@pytest.mark.parametrize(("first", "then"), [(PURE, GAUSSIAN), (GAUSSIAN, PURE)], ids=["pure", "zcdp"])
def test_the_rule_of_a_population_is_settled_by_its_first_cap(budget: Budget, first: Cap, then: Cap) -> None:
    """No proof covers adding up ε today and ρ tomorrow, as results look."""
    budget.reserve(request("r1", 0.1, first))
    assert "no proof covers a change of that; state caps and releases with δ" in refusal(
        budget, "r2", 0.1, then
    )
    mixed = replace(request("r2", 0.1, first), loss=loss_of(0.05, then.delta), delta=1e-6)
    assert "counts its loss otherwise than the caps" in budget.would_fit(mixed).reason


def test_delta_for_keys_has_a_bound_of_its_own(budget: Budget) -> None:
    """What later releases could move between keys and ρ, as results look, no proof would cover."""
    cap = Cap(1.0, 1e-6, keys_delta=5e-7)
    with_keys = request("r1", 0.3, cap, keys_delta=3e-7)
    assert "δ = 0 for keys is left over all recipients" in refusal(
        budget, "r1", 0.3, GAUSSIAN, keys_delta=3e-7
    )
    budget.reserve(with_keys)
    assert refusal(budget, "r2", 0.3, cap, keys_delta=3e-7) == (
        "population patients: δ = 2e-07 for keys is left over all recipients of ε = 1 at δ = 1e-06, of it 5e-07 for keys,"
        " this release asks for 3e-07; name the keys in the policy, or raise the cap:"
        " anon budget raise patients --epsilon … --delta … --reason …"
    )
    left = budget.left_for("patients", "team a", Caps(cap, cap))
    assert left == Loss("zcdp", cap.loss.units - with_keys.loss.units, 2 * 10**11)
    budget.reserve(replace(request("r2", 1.0, cap), loss=left))
    overall = budget.balance("patients").overall
    assert overall.left == Loss("zcdp", 0, 0)
    assert 1 - 1e-6 < overall.taken_epsilon <= 1
    moved = Cap(1.0, 1e-6)
    assert "the policy states a cap over all recipients of ε = 1 at δ = 1e-06, the ledger" in refusal(
        budget, "r3", 0.1, moved
    )


def test_a_request_does_not_lose_more_than_it_states() -> None:
    """What is shown beside it would be wrong."""
    with pytest.raises(
        BudgetError, match=r"^release r1 loses more than the ε = 0.1 at δ = 0 that it states$"
    ):
        request(epsilon=0.1, loss=Loss("pure", 100_000_001))
    with pytest.raises(BudgetError, match=r"at least one unit"):
        request(loss=Loss("pure", 0))
    with pytest.raises(BudgetError, match=r"^a request names its release id; the name is empty$"):
        request("")
    with pytest.raises(BudgetError, match=r"^the caps overall and of the recipient count in one way: "):
        request(own=GAUSSIAN)
    with pytest.raises(BudgetError, match=r"^a cap of that much ε protects nobody; "):
        Cap(1e10, 0.0)


def test_a_population_that_nobody_named_is_told_with_those_there_are(budget: Budget) -> None:
    """A slip in the name is seen at once."""
    budget.reserve(request())
    with pytest.raises(
        BudgetError, match=r"^nothing was ever spent on population patient; there are: patients$"
    ):
        budget.balance("patient")
