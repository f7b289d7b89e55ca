"""The official `openai` SDK for Node.js, Chat Completions."""

from compat.matrix._node import run_script, version_of
from compat.matrix.client import Client

CLIENT = Client("openai (Node.js), Chat Completions", version_of("openai"), "chat", run_script("openai.mjs", "openai"))
