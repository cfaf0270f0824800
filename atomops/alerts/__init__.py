"""Alerts from the webhook to the incident: received, kept in a spool, put in order, looked into."""
