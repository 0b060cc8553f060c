"""Attacks that are run for real on the bytes that leave: linkage, singling out, linkability, inference, membership."""
