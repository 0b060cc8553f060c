"""Models that find names which no list has, and what keeps their errors small."""

from anon_platform.text.ner.unexplained import NamedEntities, Recognizer

__all__ = ["NamedEntities", "Recognizer"]
