"""Side-by-side benchmarks; each prints a ratio against the guide's own commands."""
