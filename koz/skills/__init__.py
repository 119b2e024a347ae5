"""Skill concepts, professionals, missions."""
