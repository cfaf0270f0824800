"""Tests: unit, flows, integration, e2e."""
