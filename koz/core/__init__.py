"""What every feature stands on: database, money, clock, outbox, jobs, web."""
