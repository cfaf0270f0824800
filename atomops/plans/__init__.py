"""Pure decisions: what would be done, from what is there."""
