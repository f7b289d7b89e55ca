"""Measures what a call costs. Run `python -m bench` at the root of the repository; `docs/performance.md` says how to read it."""
