"""Tables of skills, one module a subject: import them from there."""
