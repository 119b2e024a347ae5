"""Campaigns from draft to closed."""
