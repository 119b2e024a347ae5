"""Pages of campaigns: writing one, its desk, its news, following it, its timeline."""

from koz.campaigns.views import desk, edit, follow, news, public
from koz.campaigns.views.blueprint import bp

__all__ = ["bp", "desk", "edit", "follow", "news", "public"]
