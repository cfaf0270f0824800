"""A bucket of any S3 server as a store.

`bucket.py` knows S3 and nothing of sets; `store.py` knows sets; `refusals.py` says in our words what went wrong.
"""

from atomops.stores.s3.store import S3Store

__all__ = ["S3Store"]
