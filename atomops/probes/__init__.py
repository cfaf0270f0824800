"""From the world to facts: every probe bounds its own time, and raises an `AtomOpsError` that says what to do."""
