"""The application's own alembic, looked at, rehearsed on a copy, and run: its interpreter is not ours."""
