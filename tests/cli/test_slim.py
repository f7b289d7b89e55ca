"""A gateway that serves has nothing in memory that it does not use."""

import subprocess
import sys

UNUSED = ("rich", "pygments", "PIL", "alembic", "yibu.sandbox")


def test_a_server_carries_no_ballast() -> None:
    """Each of these is several MB, and is imported when somebody asks for what it does."""
    code = "import sys, yibu.cli, yibu.app.serve, yibu.app.build; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

    assert "structlog" in loaded
    assert not set(UNUSED) & set(loaded)


def test_help_is_still_printed_with_rich() -> None:
    said = subprocess.run([sys.executable, "-m", "yibu", "--help"], capture_output=True, text=True, check=True).stdout

    assert "ledger" in said
    assert "╭" in said
