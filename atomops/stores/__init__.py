"""Where things are kept: reports and last facts, later backup sets."""
