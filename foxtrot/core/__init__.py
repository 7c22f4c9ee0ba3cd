"""The event engine and the thread that owns the asyncio loop."""
