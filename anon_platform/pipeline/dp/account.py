"""What a release asks of the privacy budget."""

from dataclasses import dataclass

from anon_platform.errors import PolicyError
from anon_platform.ingest import fingerprint, source_files
from anon_platform.keys import Key, load_key
from anon_platform.ledger import INSTANCE_KEY, Ledger
from anon_platform.ledger.budget import Budget
from anon_platform.ledger.caps import Cap, Caps, Request
from anon_platform.policy import DPPolicy
from anon_platform.policy.dp import Cap as StatedCap
from anon_platform.version import RELEASED_DATA_VERSION


def request_of(policy: DPPolicy, release_id: str) -> Request:
    """The request of a release: the whole loss that the policy states, whatever of it the mechanisms use."""
    stated = policy.privacy_loss
    try:
        return Request(
            population=stated.population,
            dataset=policy.dataset,
            recipient=policy.publish.recipient,
            release_id=release_id,
            # a folded text of YAML ends in a line break, and the ledger keeps single lines
            purpose=" ".join(policy.publish.purpose.split())[:200],
            caps=Caps(_cap(stated.caps.overall), _cap(stated.caps.recipient)),
            loss=stated.loss,
            epsilon=stated.epsilon,
            delta=stated.delta,
        )
    except ValueError as error:
        raise PolicyError(f"publish: {error}") from None


def _cap(stated: StatedCap) -> Cap:
    return Cap(stated.epsilon, stated.delta, stated.keys_delta)


@dataclass(frozen=True)
class Fits:
    """Whether the budget covers a release. reason: why it does not; empty when it does."""

    reason: str
    left: dict[str, float]
    """By cap, the ε that a single release may still take."""


def fits_budget(policy: DPPolicy) -> Fits:
    """Whether what is left covers the policy's release; nothing is written and no row is read.

    A release that was made for the present source is there already, and asks for nothing.
    """
    with Ledger.open() as ledger:
        budget = Budget(ledger)
        held = _named(policy)
        request = request_of(policy, held)
        fit = budget.would_fit(request)
        known = [each for each in budget.balances() if each.population == request.population]
        left = {}
        for balance in known:
            left["ε left overall"] = balance.overall.left_epsilon
            own = [share for share in balance.recipients if share.recipient == request.recipient]
            if own:
                left["ε left for the recipient"] = own[0].left_epsilon
        return Fits(fit.reason, left)


def _named(policy: DPPolicy) -> str:
    """The id that a run would give the release now."""
    key = load_key(INSTANCE_KEY)
    return release_id_of(policy, fingerprint(source_files(policy.source), key), key)


def release_id_of(policy: DPPolicy, found: str, key: Key) -> str:
    """The id of a release: the same for the same policy, source and form of released data.

    found: the source's fingerprint, a keyed hash of its files' bytes, so that the id tells nothing of them.
    """
    identity = "|".join([policy.hash, found, str(RELEASED_DATA_VERSION)])
    return key.derive("release").token(identity, 20)
