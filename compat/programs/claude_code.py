"""Claude Code, which speaks Anthropic Messages. Docs: its pages *LLM gateway* and *Settings*, read 2026-11-22."""

from pathlib import Path

from compat.programs.program import PROMPT, Access, Program, Setup, bin_of


def _prepare(home: Path, access: Access) -> Setup:
    command = [str(bin_of("claude")), "-p", PROMPT, "--dangerously-skip-permissions", "--max-turns", "12"]
    return Setup(
        command,
        {
            "ANTHROPIC_BASE_URL": access.url,
            "ANTHROPIC_AUTH_TOKEN": access.key,
            "ANTHROPIC_MODEL": access.model,
            "ANTHROPIC_SMALL_FAST_MODEL": access.model,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "IS_SANDBOX": "1",  # or it refuses to skip questions for root, whom containers run as
        },
    )


PROGRAM = Program("Claude Code", "@anthropic-ai/claude-code", "anthropic", bin_of("claude"), _prepare)
