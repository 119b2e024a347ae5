"""Mails, each at most once."""
