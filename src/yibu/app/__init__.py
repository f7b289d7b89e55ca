"""Where things are wired together."""
