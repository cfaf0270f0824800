"""What every change of a target has around it: one at a time, on record, and ended in good order."""
