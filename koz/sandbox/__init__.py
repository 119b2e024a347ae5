"""The local Stripe stand-in: its own process and store; imports nothing of koz, is imported by `cli` and tests only.

Read `docs/sandbox.md`, then `api.py` (the front door), `contract.py` (what is checked), `objects/` (what there is).
"""
