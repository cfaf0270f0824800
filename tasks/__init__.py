"""One verb per file: reusable Prefect tasks around the core."""
