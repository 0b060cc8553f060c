"""What a mechanism loses at least, seen from outside: the check that a claimed privacy loss is not a lie."""

from anon_platform.dp.audit.bounds import (
    Seen,
    clopper_pearson,
    epsilon_lower_bound,
    mu_lower_bound,
    rho_lower_bound,
)
from anon_platform.dp.audit.events import Audit, Event, audited, event_for
from anon_platform.dp.audit.one_run import one_run_lower_bound, one_run_p_value

__all__ = [
    "Audit",
    "Event",
    "Seen",
    "audited",
    "clopper_pearson",
    "epsilon_lower_bound",
    "event_for",
    "mu_lower_bound",
    "one_run_lower_bound",
    "one_run_p_value",
    "rho_lower_bound",
]
