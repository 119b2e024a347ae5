"""What may be done with skills, one module a use-case."""
