"""What can be done with campaigns, one module a use case."""

from koz.campaigns.services.totals import Contribution, add_contribution, add_timeline, move, step, take_back

__all__ = ["Contribution", "add_contribution", "add_timeline", "move", "step", "take_back"]
