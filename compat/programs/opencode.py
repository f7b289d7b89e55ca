"""opencode, which speaks OpenAI Chat here. Docs: its page *Providers*, section *Custom provider*, read 2026-11-22."""

import json
from pathlib import Path

from compat.programs.program import PROMPT, Access, Program, Setup, bin_of


def _prepare(home: Path, access: Access) -> Setup:
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "Yibu",
        "options": {"baseURL": f"{access.url}/v1", "apiKey": access.key},
        "models": {access.model: {"name": access.model}},
    }
    settings = home / ".config" / "opencode"
    settings.mkdir(parents=True)
    said = {"provider": {"yibu": provider}, "autoupdate": False, "share": "disabled", "permission": {"*": "allow"}}
    (settings / "opencode.json").write_text(json.dumps(said), encoding="utf-8")
    command = [str(bin_of("opencode")), "run", "--pure", "--model", f"yibu/{access.model}", PROMPT]
    return Setup(command, {"OPENCODE_DISABLE_MODELS_FETCH": "1"})


PROGRAM = Program("opencode", "opencode-ai", "chat", bin_of("opencode"), _prepare)
