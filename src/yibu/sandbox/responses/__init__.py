"""OpenAI's Responses API, written by hand from OpenAI's documentation (*Responses*, *Streaming events*), read 2026-11-22."""
