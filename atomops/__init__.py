"""The core of Atom Ops: facts, checks and reports. It never imports Prefect."""
