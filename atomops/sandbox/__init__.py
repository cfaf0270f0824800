"""A whole small world on this machine: PostgreSQL, Redis, the application, its metrics. Needs the extra `sandbox`."""
