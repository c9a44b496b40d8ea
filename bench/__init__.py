"""Measurements beside what a user would pick instead. `python -m bench.run` writes docs/benchmarks.md."""
