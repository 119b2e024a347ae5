"""The local Stripe stand-in: its own process; imports nothing of koz."""
