"""Pure functions from facts to a reading, found by import; one function a check."""
