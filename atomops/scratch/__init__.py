"""Servers and folders of our own for the moment, which nothing survives: proofs and the sandbox stand on them."""
