"""Benchmarks: `make bench` prints ratios to floors measured in the same run."""
