"""A configuration as data: what belongs to it, what of it is kept, what of it is secret, what of it has changed."""
