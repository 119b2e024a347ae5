"""Koz: a public cause from funding to decision, in public, on one page."""

__version__ = "0.1.0"
