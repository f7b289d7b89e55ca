"""The official `@anthropic-ai/sdk` for Node.js, Messages."""

from compat.matrix._node import run_script, version_of
from compat.matrix.client import Client

PACKAGE = "@anthropic-ai/sdk"

CLIENT = Client("anthropic (Node.js), Messages", version_of(PACKAGE), "anthropic", run_script("anthropic.mjs", PACKAGE))
