"""A restore without an emergency: the newest set of every store, brought back from there, compared and removed."""
