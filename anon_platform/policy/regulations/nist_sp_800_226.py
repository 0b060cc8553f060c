"""NIST SP 800-226: what a claim of differential privacy has to say."""

from anon_platform.policy.regulations.pack import Clause, Pack


def _asked(letter: str, name: str, title: str) -> Clause:
    return Clause(letter, name, title, f"NIST SP 800-226, {name.replace('_', ' ')}")


NIST_SP_800_226 = Pack(
    "nist_sp_800_226",
    "NIST SP 800-226, Evaluating Differential Privacy Guarantees",
    "NIST SP 800-226, final, March 2025",
    "Near, Darais, Lefkovitz, Howarth 2025, Guidelines for Evaluating Differential Privacy Guarantees, by its abstract and summaries",
    (
        _asked(
            "epsilon", "privacy_parameter_epsilon", "The privacy loss ε of the release is stated and bounded"
        ),
        _asked("delta", "privacy_parameter_delta", "δ is stated, and zero or far below one over the people"),
        _asked("unit", "unit_of_privacy", "The unit of privacy is stated: whose data may change"),
        _asked("trust", "trust_model", "The trust model is stated: who sees the data before noise is added"),
    ),
)
