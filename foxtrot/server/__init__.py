"""The engine that joins adapters, events and the last known state of everything."""
