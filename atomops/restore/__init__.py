"""A set, or the database that was replaced, becomes the live database: beside it first, then by two renames."""
