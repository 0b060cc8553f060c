"""Identified hospital encounters for demonstrations and benchmarks, made from public data alone.

`generate` writes any number of encounters with names, numbers, addresses, clinical notes with gold
spans and a public voter list with the true links, so that an attack or a detector can be scored.
"""

from anon_platform.demo.generator import DemoSettings, generate

__all__ = ["DemoSettings", "generate"]
