"""The European Medicines Agency on clinical data that are published: a risk of 0.09 at most."""

from anon_platform.policy.regulations.pack import Clause, Pack

EMA_POLICY_0070 = Pack(
    "ema_policy_0070",
    "EMA Policy 0070, publication of clinical data",
    "external guidance on the implementation of Policy 0070, EMA/90915/2016, version 1.5 of 14 May 2025",
    "contents of version 1.3 of 20 September 2017 and a summary of version 1.5; threshold and section are to be checked in the latter",
    (
        Clause(
            "risk",
            "threshold",
            "The risk of re-identification of the record most at risk is 0.09 at most",
            "EMA/90915/2016, chapter 3, section 5.4",
        ),
        Clause(
            "attacks",
            "adversaries",
            "Possible adversaries and plausible attacks are identified",
            "EMA/90915/2016, chapter 3, adversaries and attacks",
        ),
        Clause(
            "utility",
            "data_utility",
            "What anonymisation does to the utility of the data is assessed",
            "EMA/90915/2016, chapter 3, data utility",
        ),
        Clause(
            "report",
            "anonymisation_report",
            "An anonymisation report goes with the documents",
            "EMA/90915/2016, chapter 3, anonymisation report",
        ),
    ),
)
