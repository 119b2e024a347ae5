"""Everything that runs a whole Koz on one machine."""
