"""VACUUM at work: what is looked at before and after, its sessions, and what they are told."""
