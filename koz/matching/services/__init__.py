"""What can be done with matching, one module a use case: `ranking`, `proposing`, `engaging`."""
