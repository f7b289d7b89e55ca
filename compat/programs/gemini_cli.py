"""Gemini CLI, which speaks Gemini. Docs: its pages *Configuration* and *Authentication*, read 2026-11-22."""

import json
from pathlib import Path

from compat.programs.program import PROMPT, Access, Program, Setup, bin_of


def _prepare(home: Path, access: Access) -> Setup:
    settings = home / ".gemini"
    settings.mkdir()
    said = {
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "privacy": {"usageStatisticsEnabled": False},
        "general": {"disableAutoUpdate": True},
    }
    (settings / "settings.json").write_text(json.dumps(said), encoding="utf-8")
    command = [str(bin_of("gemini")), "--model", access.model, "--yolo", "--skip-trust", "--prompt", PROMPT]
    return Setup(command, {"GEMINI_API_KEY": access.key, "GOOGLE_GEMINI_BASE_URL": access.url})


PROGRAM = Program("Gemini CLI", "@google/gemini-cli", "gemini", bin_of("gemini"), _prepare)
