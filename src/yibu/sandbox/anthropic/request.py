"""Reads the body of `POST /v1/messages` and `/v1/messages/count_tokens` as strictly as Anthropic does.

Source: Anthropic, *Create a message*, *Versions*, *Extended thinking*, *Prompt caching*, read 2026-11-22.
"""

import re
from dataclasses import dataclass, replace

from yibu.sandbox.anthropic.blocks import Content, read_content, read_mark
from yibu.sandbox.anthropic.schemas import check_format, check_tool_schema
from yibu.sandbox.anthropic.turns import read_turns
from yibu.sandbox.anthropic.words import AnthropicWords, wrong
from yibu.sandbox.ask import Ask, Choice, Schema, Tool, Turn, fingerprint_of
from yibu.sandbox.members import Members
from yibu.sandbox.request import Request

VERSIONS = ("2023-06-01", "2026-10-21")
MOST_TOKENS = 128_000
EFFORTS = ("low", "medium", "high", "xhigh", "max")

_COUNTED = "model messages system tools tool_choice thinking output_config cache_control"
_MEMBERS = f"""{_COUNTED} max_tokens stream stop_sequences temperature top_p top_k metadata service_tier
    container inference_geo speed diagnostics"""
_BETA = "mcp_servers context_management compaction thread fallbacks billing_policy output_format betas"
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_SAMPLING = ("temperature", "top_p", "top_k")


@dataclass(frozen=True, slots=True)
class Message:
    """`shows`: how thinking is shown: "no" when it is off, else in full, or with its signature alone."""

    ask: Ask
    shows: str


def read_message(request: Request, *, counts_only: bool = False) -> Message:
    """Read a request. Raises `Refusal` 400 in Anthropic's words."""
    version = request.headers.get("anthropic-version")
    if version is None:
        raise wrong("anthropic-version: header is required")
    if version not in VERSIONS:
        raise wrong(f'anthropic-version: "{version}" is not a valid version')
    body = request.json()
    wire = Members(body, words=AnthropicWords())
    known = (_COUNTED if counts_only else _MEMBERS).split()
    wire.only([*known, *(_BETA.split() if request.headers.get("anthropic-beta") else [])])
    model = wire.text("model")
    if not counts_only:
        _check_numbers(wire, model, version)
    tools, marks = _tools(wire)
    system, system_marks = _system(wire)
    turns, turn_marks = read_turns(wire, version, request.headers.get("anthropic-beta", ""))
    _check_marks(wire, [*marks, *system_marks, *turn_marks])
    if not wire.has("tools") and any(turn.calls or turn.role == "tool" for turn in turns):
        raise wrong("Requests which have `tool_use` or `tool_result` blocks in messages must define tools.")
    choice, parallel, narrowed = _choice(wire, tools)
    shows = _thinking(wire, turns)
    output = wire.object("output_config") if wire.has("output_config") else Members({}, "output_config", wire.words)
    output.only(("effort", "format", "task_budget"))
    effort = output.choice("effort", EFFORTS) if output.has("effort") else None
    if body.get("cache_control") and turns:
        last = turns[-1]
        turns = (*turns[:-1], replace(last, mark=read_mark(wire)))
    ask = Ask(
        model=model,
        turns=(*system, *turns),
        fingerprint=fingerprint_of(body),
        tools=narrowed,
        choice=choice,
        parallel=parallel,
        format=_format(output),
        effort=effort,
        thinks=shows != "no",
        limit=wire.integer("max_tokens", 0, 1 << 40),
        stops=wire.texts("stop_sequences"),
        temperature=wire.number("temperature", 0, 1),
        top_p=wire.number("top_p", 0, 1),
        stream=wire.flag("stream", False),
    )
    return Message(ask, shows)


def _check_numbers(wire: Members, model: str, version: str) -> None:
    if not wire.has("max_tokens"):
        raise wire.words.missing("max_tokens")
    limit = wire.integer("max_tokens", 0, 1 << 40) or 0
    if limit > MOST_TOKENS:
        raise wrong(
            f"max_tokens: {limit} > {MOST_TOKENS}, which is the maximum allowed number of output tokens for {model}"
        )
    wire.integer("top_k", 0, 1 << 40)
    given = [name for name in _SAMPLING if wire.has(name)]
    if given and version != VERSIONS[0]:
        raise wrong(f"{given[0]}: Extra inputs are not permitted")
    if "temperature" in given and "top_p" in given:
        raise wrong(f"`temperature` and `top_p` cannot both be specified for {model}. Please use only one.")
    if any(not stop.strip() for stop in wire.texts("stop_sequences")):
        raise wrong("stop_sequences: each stop sequence must contain non-whitespace")
    if wire.has("metadata"):
        wire.object("metadata").only(("user_id",))
    wire.choice("service_tier", ("auto", "standard_only"), "auto")


def _system(wire: Members) -> tuple[tuple[Turn, ...], list[str]]:
    if not wire.has("system"):
        return (), []
    if isinstance(value := wire.value["system"], str):
        return ((Turn("system", value),) if value else ()), []
    content = Content()
    for block in wire.objects("system"):
        part = read_content(Members({"content": [block.value]}, "system", wire.words), "system")
        content.texts += part.texts
        content.marks += part.marks
    return (Turn("system", content.text, mark=content.marks[-1] if content.marks else ""),), content.marks


def _tools(wire: Members) -> tuple[tuple[Tool, ...], list[str]]:
    tools: list[Tool] = []
    marks: list[str] = []
    names: set[str] = set()
    for item in wire.objects("tools"):
        mark = read_mark(item)
        marks += [mark] if mark else []
        if item.text("type", "custom") != "custom":
            continue  # a tool that the vendor runs itself
        name = item.text("name")
        if not _TOOL_NAME.fullmatch(name):
            raise item.wrong("custom.name", "String should match pattern '^[a-zA-Z0-9_-]{1,128}$'")
        if name in names:
            raise wrong("tools: Tool names must be unique.")
        names.add(name)
        if not item.has("input_schema"):
            raise item.words.missing(item.at("custom.input_schema"))
        schema = item.object("input_schema")
        check_tool_schema(schema, is_strict=item.flag("strict", False))
        tools.append(Tool(name, item.text("description", ""), schema.value, mark))
    return tuple(tools), marks


def _choice(wire: Members, tools: tuple[Tool, ...]) -> tuple[Choice, bool, tuple[Tool, ...]]:
    if not wire.has("tool_choice"):
        return ("auto" if tools else "none"), True, tools
    if not wire.has("tools"):
        raise wrong("tool_choice: tool_choice may only be specified while providing tools")
    choice = wire.object("tool_choice")
    kind = choice.choice("type", ("auto", "any", "tool", "none"))
    choice.only(
        {"tool": ("type", "name", "disable_parallel_tool_use"), "none": ("type",)}.get(
            kind, ("type", "disable_parallel_tool_use")
        )
    )
    parallel = not choice.flag("disable_parallel_tool_use", False)
    match kind:
        case "none":
            return "none", True, tools
        case "auto":
            return "auto", parallel, tools
        case "any":
            return "required", parallel, tools
        case _:
            name = choice.text("name")
            named = tuple(tool for tool in tools if tool.name == name)
            if not named:
                raise wrong(f"tool_choice.tool.name: Tool '{name}' not found in provided tools")
            return "required", parallel, named


def _thinking(wire: Members, turns: tuple[Turn, ...]) -> str:
    if not wire.has("thinking"):
        return "no"
    thinking = wire.object("thinking")
    kind = thinking.choice("type", ("enabled", "adaptive", "between_tools", "disabled"))
    if kind == "disabled":
        return "no"
    if wire.has("temperature") and wire.number("temperature", 0, 1) != 1:
        raise wrong("`temperature` may only be set to 1 when thinking is enabled or in adaptive mode.")
    if wire.has("top_k"):
        raise wrong("`top_k` must be unset when thinking is enabled or in adaptive mode.")
    if wire.has("top_p") and (wire.number("top_p", 0, 1) or 0) < 0.95:
        raise wrong(
            "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled or in adaptive mode."
        )
    if kind == "enabled":
        budget = thinking.integer("budget_tokens", 0, 1 << 40)
        if budget is None:
            raise wire.words.missing("thinking.enabled.budget_tokens")
        if budget < 1024:
            raise wrong("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
        limit = wire.integer("max_tokens", 0, 1 << 40)
        if limit is not None and limit <= budget:
            raise wrong("`max_tokens` must be greater than `thinking.budget_tokens`.")
        if wire.has("tool_choice") and wire.object("tool_choice").text("type", "auto") in ("any", "tool"):
            raise wrong("Thinking may not be enabled when tool_choice forces tool use.")
        _check_loop(wire)
    if turns and turns[-1].role == "assistant":
        raise wrong("messages: final assistant content is not allowed when thinking is enabled.")
    return "signature" if thinking.choice("display", ("summarized", "omitted"), "summarized") == "omitted" else "all"


def _check_loop(wire: Members) -> None:
    """With manual thinking, the assistant turns of the running tool loop begin with their thinking."""
    messages = list(wire.objects("messages"))
    for message in reversed(messages):
        blocks = message.value.get("content")
        kinds = [block.get("type") for block in blocks] if isinstance(blocks, list) else ["text"]
        if message.value.get("role") == "user" and "tool_result" not in kinds:
            return
        if (
            message.value.get("role") == "assistant"
            and "tool_use" in kinds
            and kinds[0] not in ("thinking", "redacted_thinking")
        ):
            raise wrong(
                f"{message.path}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{kinds[0]}`. "
                "When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding "
                "the lastmost set of `tool_use` and `tool_result` blocks)."
            )


def _format(output: Members) -> Schema | None:
    if not output.has("format"):
        return None
    form = output.object("format")
    form.only(("type", "schema"))
    form.choice("type", ("json_schema",))
    schema = form.object("schema")
    check_format(schema)
    return schema.value


def _check_marks(wire: Members, marks: list[str]) -> None:
    marks = [*marks, *([read_mark(wire)] if wire.has("cache_control") else [])]
    if len(marks) > 4:
        raise wrong(f"A maximum of 4 blocks with cache_control may be provided. Found {len(marks)}.")
    if "1h" in marks[marks.index("5m") :] if "5m" in marks else False:
        raise wrong("a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block.")
