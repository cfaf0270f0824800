"""What an administrator does by hand: a user's role, what is logged, sessions that hang, caches, profiling."""
