"""People, organisations, roles, sessions."""
