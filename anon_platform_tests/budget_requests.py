"""Requests for the tests of the privacy budget."""

from anon_platform.dp import Loss, loss_of
from anon_platform.ledger import Cap, Caps, Request

PURE = Cap(1.0, 0.0)


def request(
    release_id: str = "r1",
    epsilon: float = 0.1,
    cap: Cap = PURE,
    *,
    own: Cap | None = None,
    population: str = "patients",
    dataset: str = "visits",
    recipient: str = "team a",
    loss: Loss | None = None,
    keys_delta: float = 0.0,
) -> Request:
    """A release of ε at the δ of its cap, under that cap overall and (unless `own`) for its recipient."""
    return Request(
        population=population,
        dataset=dataset,
        recipient=recipient,
        release_id=release_id,
        purpose="a study",
        caps=Caps(overall=cap, recipient=own or cap),
        loss=loss or loss_of(epsilon, cap.delta, keys_delta=keys_delta),
        epsilon=epsilon,
        delta=cap.delta,
    )
