"""`llm`, which speaks OpenAI Chat, with two tools for it. Docs: its pages *OpenAI-compatible models* and *Tools*, read 2026-11-22."""

import json
from pathlib import Path

from compat.programs.program import PROMPT, TOOLS, Access, Program, Setup

_EXECUTABLE = (TOOLS / "llm" / "bin" / "llm").absolute()

_MODEL = """
- model_id: {model}
  model_name: {model}
  api_base: {url}/v1
  api_key_name: yibu
  supports_tools: true
"""

_FUNCTIONS = '''
def read_file(path: str) -> str:
    """Read a text file."""
    with open(path) as file:
        return file.read()


def write_file(path: str, content: str) -> str:
    """Write a text file."""
    with open(path, "w") as file:
        file.write(content)
    return "written"
'''


def _prepare(home: Path, access: Access) -> Setup:
    settings = home / "llm"
    settings.mkdir()
    (settings / "extra-openai-models.yaml").write_text(_MODEL.format(model=access.model, url=access.url))
    (settings / "keys.json").write_text(json.dumps({"yibu": access.key}))
    functions = settings / "functions.py"
    functions.write_text(_FUNCTIONS)
    command = [str(_EXECUTABLE), "-m", access.model, "--functions", str(functions), PROMPT]
    return Setup(command, {"LLM_USER_PATH": str(settings)})


PROGRAM = Program("llm", "llm", "chat", _EXECUTABLE, _prepare)
