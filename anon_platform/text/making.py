"""A finder made from settings."""

from anon_platform.text.finder import Finder
from anon_platform.text.language import language
from anon_platform.text.ner import NamedEntities, Recognizer
from anon_platform.text.settings import TextSettings


def finder_of(settings: TextSettings) -> Finder:
    """The finder of the settings, its models loaded; raises PolicyError for a faulty setting or a missing model."""
    spoken = language(settings.language)
    models: list[Recognizer] = []
    if settings.model and spoken.model:
        from anon_platform.text.ner.on_spacy import Spacy

        models.append(Spacy(spoken))
    if settings.second_model == "rampart":
        from anon_platform.text.ner.rampart import Rampart

        models.append(Rampart())
    custom = []
    if settings.recognizers:
        from anon_platform.text.presidio import as_rule, custom_recognizers

        custom = [as_rule(recognizer) for recognizer in custom_recognizers(settings)]
    model = NamedEntities(spoken, models) if models else None
    return Finder(spoken, model, custom, frozenset(text.casefold() for text in settings.allow))
