"""Identified data in, trustworthy release out: configured by one policy file, measured on the bytes that leave."""
