"""How a database becomes a set, and how a set is proven: the one room that dumps and restores."""
