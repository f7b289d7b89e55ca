"""Whole programs, each with a file of its own: how to point it at the gateway and give it a piece of work."""
