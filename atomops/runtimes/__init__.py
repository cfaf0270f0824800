"""What runs the application: Kubernetes, Docker, systemd, or the inventory's own commands."""
