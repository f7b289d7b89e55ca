"""Anthropic's Messages API, written by hand from Anthropic's documentation (*Messages*, *Streaming*, *Errors*), read 2026-11-22."""
