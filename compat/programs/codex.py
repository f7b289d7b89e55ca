"""Codex CLI, which speaks OpenAI Responses. Docs: its page *Configuration*, read 2026-11-22."""

from pathlib import Path

from compat.programs.program import PROMPT, Access, Program, Setup, bin_of

_CONFIG = """
model = "{model}"
model_provider = "yibu"

[model_providers.yibu]
name = "Yibu"
base_url = "{url}/v1"
env_key = "YIBU_API_KEY"
wire_api = "responses"
"""


def _prepare(home: Path, access: Access) -> Setup:
    settings = home / ".codex"
    settings.mkdir()
    (settings / "config.toml").write_text(_CONFIG.format(model=access.model, url=access.url), encoding="utf-8")
    command = [str(bin_of("codex")), "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"]
    return Setup([*command, PROMPT], {"YIBU_API_KEY": access.key})


PROGRAM = Program("Codex CLI", "@openai/codex", "responses", bin_of("codex"), _prepare)
