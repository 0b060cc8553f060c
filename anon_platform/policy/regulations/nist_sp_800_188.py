"""NIST SP 800-188: how an agency governs de-identification."""

from anon_platform.policy.regulations.pack import Clause, Pack


def _asked(letter: str, name: str, title: str, topic: str) -> Clause:
    return Clause(letter, name, title, f"NIST SP 800-188, {topic}")


NIST_SP_800_188 = Pack(
    "nist_sp_800_188",
    "NIST SP 800-188, De-Identifying Government Datasets",
    "NIST SP 800-188, Techniques and Governance, September 2023",
    "Garfinkel, Near, Dajani, Singer, Guttman 2023, by its abstract",
    (
        _asked(
            "goals",
            "goals",
            "The goals and intended uses of de-identification are named",
            "goals and intended uses",
        ),
        _asked("risks", "risks", "The risks that the release may create are evaluated", "evaluating risks"),
        _asked("sharing", "sharing_model", "A data-sharing model is chosen", "data-sharing models"),
        _asked(
            "board",
            "review_board",
            "A Disclosure Review Board oversees the process",
            "Disclosure Review Boards",
        ),
        _asked(
            "standard",
            "standard",
            "A de-identification standard has measurable performance levels, and they are met",
            "de-identification standards",
        ),
        _asked(
            "identifiers",
            "identifiers",
            "Direct identifiers are removed or transformed",
            "removing identifiers",
        ),
        _asked("study", "study", "A re-identification study gauges the risk", "re-identification studies"),
    ),
)
