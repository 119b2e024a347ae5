"""What may be done with skills, one module a use-case."""

from koz.skills.services.examples import seed_missions, seed_professionals
from koz.skills.services.profiles import forget_profile
from koz.skills.services.taxonomy_import import load_starter

__all__ = ["forget_profile", "load_starter", "seed_missions", "seed_professionals"]
