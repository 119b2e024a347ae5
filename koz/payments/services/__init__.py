"""What can be done with money, one module a use case. Those that talk to the provider take `uow`, not a session."""
