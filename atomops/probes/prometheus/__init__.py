"""Prometheus and Alertmanager, asked over HTTP: what every probe that needs them has in common."""
