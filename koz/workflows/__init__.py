"""Reactions of one feature to the events of another."""
