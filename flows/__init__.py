"""One page of the runbook per file; no I/O of its own."""
