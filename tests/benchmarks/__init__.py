"""How fast and how large: figures beside the floor they stand on. `python -m tests.benchmarks`."""
