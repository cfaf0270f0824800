"""A small Kubernetes: an API server over HTTPS that speaks the real wire format, controllers, and a kubelet."""
