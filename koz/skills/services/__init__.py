"""What may be done with skills, one module a use-case."""

from koz.skills.services.taxonomy_import import load_starter

__all__ = ["load_starter"]
