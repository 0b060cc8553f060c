"""The UK Information Commissioner's record of a motivated intruder test."""

from anon_platform.policy.regulations.pack import Clause, Pack


def _of_chapter(letter: str, name: str, title: str, part: str) -> Clause:
    return Clause(letter, name, title, f"ICO anonymisation guidance, effectiveness, {part}")


ICO_MOTIVATED_INTRUDER = Pack(
    "ico_motivated_intruder",
    "UK ICO, record of the motivated intruder test",
    "anonymisation guidance published on 28 March 2025",
    "Information Commissioner's Office, Anonymisation, overview of the chapter How do we ensure anonymisation is effective?",
    (
        _of_chapter(
            "a",
            "intruder",
            "Who the intruder is: competent, with public sources and enquiries, without prior knowledge",
            "the motivated intruder test",
        ),
        _of_chapter(
            "b",
            "singling_out",
            "Singling out: nobody can be isolated in the release",
            "key indicators of identifiability",
        ),
        _of_chapter(
            "c",
            "linkability",
            "Linkability: records cannot be combined with other information to identify somebody",
            "key indicators of identifiability",
        ),
        _of_chapter(
            "d",
            "tested",
            "The test was tried, and its result is on record",
            "applying the motivated intruder test",
        ),
        _of_chapter(
            "e",
            "access",
            "Who may get access, from known recipients to the world at large",
            "the spectrum of identifiability",
        ),
        _of_chapter("f", "review", "The assessment is reviewed regularly", "reviewing the assessment"),
    ),
)
