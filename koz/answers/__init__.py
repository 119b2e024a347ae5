"""The public register of answers."""
