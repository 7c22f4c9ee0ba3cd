"""Adapters: one folder a venue."""
