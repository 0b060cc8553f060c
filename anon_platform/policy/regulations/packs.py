"""Every regulation pack, and how a policy names them."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from anon_platform.policy.regulations.ccpa_deidentified import CCPA_DEIDENTIFIED
from anon_platform.policy.regulations.cms_cell_size import CMS_CELL_SIZE
from anon_platform.policy.regulations.edpb_pseudonymisation import EDPB_PSEUDONYMISATION
from anon_platform.policy.regulations.ema_policy_0070 import EMA_POLICY_0070
from anon_platform.policy.regulations.gdpr_wp29 import GDPR_WP29
from anon_platform.policy.regulations.health_canada_prci import HEALTH_CANADA_PRCI
from anon_platform.policy.regulations.hipaa_expert_determination import HIPAA_EXPERT_DETERMINATION
from anon_platform.policy.regulations.hipaa_safe_harbor import HIPAA_SAFE_HARBOR
from anon_platform.policy.regulations.ico_motivated_intruder import ICO_MOTIVATED_INTRUDER
from anon_platform.policy.regulations.nist_sp_800_188 import NIST_SP_800_188
from anon_platform.policy.regulations.nist_sp_800_226 import NIST_SP_800_226
from anon_platform.policy.regulations.pack import Pack, RegulationName


def _listed_names(value: object) -> object:
    return value if isinstance(value, (list, tuple)) else [value]


def _once(names: tuple[RegulationName, ...]) -> tuple[RegulationName, ...]:
    if len(set(names)) < len(names):
        raise ValueError("a regulation stands twice; keep one")
    return names


Regulations = Annotated[tuple[RegulationName, ...], BeforeValidator(_listed_names), AfterValidator(_once)]
"""Names of packs in a policy, one or a list."""

PACKS: tuple[Pack, ...] = (
    HIPAA_SAFE_HARBOR,
    HIPAA_EXPERT_DETERMINATION,
    GDPR_WP29,
    EDPB_PSEUDONYMISATION,
    ICO_MOTIVATED_INTRUDER,
    EMA_POLICY_0070,
    HEALTH_CANADA_PRCI,
    CMS_CELL_SIZE,
    CCPA_DEIDENTIFIED,
    NIST_SP_800_188,
    NIST_SP_800_226,
)
"""Every pack; a policy names them below `regulation`."""


def pack_of(name: RegulationName) -> Pack:
    """The pack of this name."""
    return next(pack for pack in PACKS if pack.name == name)


def looks_at_columns(names: tuple[RegulationName, ...]) -> bool:
    """Whether one of these packs looks at every released column."""
    return any(pack_of(name).columns for name in names)
