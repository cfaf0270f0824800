"""Frozen dataclasses: what a probe saw at one moment. A part that could not be seen is an `Unseen`."""
