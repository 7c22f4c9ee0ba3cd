"""How market data is got: polled, streamed, and decided between, lane by lane."""
