"""The coding agent: reads the file that the user names and writes the file that he asks for, with the tools on offer.

Nothing is remembered: which step comes next is read off the conversation, so that any program that runs its calls and sends
their results back comes to the end. Without tools, the edit formats of programs that want their edits as text are obeyed.
"""

from yibu.sandbox.engines.agent.agent import plan

__all__ = ["plan"]
