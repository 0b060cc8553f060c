"""Identifiers in the notes that leave: known answers, what is left, and what people found who looked."""
