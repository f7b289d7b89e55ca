"""Keeps out of memory what a server never uses. Imported before anything else is, for what it does.

structlog imports `rich` wherever it is installed, for tracebacks in colour: 5 MB of an idle gateway. The command line
finds `rich` as usual when it needs it.
"""

import sys

_HIDDEN = "rich"

if _HIDDEN not in sys.modules:
    sys.modules[_HIDDEN] = None  # type: ignore[assignment]
    import structlog  # noqa: F401

    del sys.modules[_HIDDEN]
