"""Foxtrot: one market feed per symbol, streamed where it can be and polled where it must be."""
