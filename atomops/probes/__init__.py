"""From the world to facts: every probe bounds its own time, and raises an `AtomOpsError` that says what to do.

Nothing is imported here: the log scanner is a program in this package, and must not pay for the others' clients.
"""
