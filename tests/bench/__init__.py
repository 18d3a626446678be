"""Benchmarks (`make bench`): each number stands beside something else that was measured in the same run."""
