"""Who is calling: people, their wallets and their API keys."""

from yibu.identity.callers import Caller, Callers

__all__ = ["Caller", "Callers"]
