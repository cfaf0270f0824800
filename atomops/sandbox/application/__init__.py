"""A small application with Atom's outside: health, metrics, logs, tables and queues, and agents at work in them."""
