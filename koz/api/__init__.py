"""Read-only public JSON API and feeds."""
