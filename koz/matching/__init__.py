"""Explained proposals between missions and professionals."""
