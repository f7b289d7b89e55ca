"""The rules engine: answers at once, by rule, the same for the same request. It is there when no language model is.

What it answers, the first that applies:

* tools were offered, and the choice demands a call or the user's text mentions a tool by name or subject → tool calls
* a response format is asked for → JSON that its schema accepts
* the last messages are results of tools → a text that quotes them
* the user sent pictures, sounds or documents → a description of each
* "count to 20", 数到20 → the numbers; anything else → an echo

Asked for reasoning (`reasoning_effort`, or the model `sandbox/think`), it first tells its reasons.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from yibu.sandbox.ask import Ask, Schema, Tool
from yibu.sandbox.engines.attend import Seen, attend
from yibu.sandbox.engines.bill import prompt_counts
from yibu.sandbox.engines.filler import WrongSchema, fill
from yibu.sandbox.engines.hints import Hints, find_places, is_chinese
from yibu.sandbox.engines.piece import Argued, Counts, End, FinishReason, Opened, Piece, Text, Thought, tokens
from yibu.sandbox.refusal import Refusal

_COUNT = re.compile(r"(?:count (?:up )?to|数到)\s*(\d{1,4})", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z][a-z]+|[A-Z]+")
_VERBS = "get set fetch find list query create make do run call lookup retrieve tool function"
_PLAIN_VERBS = frozenset(_VERBS.split())
_WORDS = (
    "the a an of for to in on at is are and or with from by given this that it its current returns return get gets "
    "user specific certain use used using when what which about information data value values"
)
_COMMON = frozenset(_WORDS.split())
_CHINESE_SUBJECTS = {
    "weather": "天气 气温 下雨",
    "temperature": "气温 温度",
    "time": "时间 几点",
    "date": "日期 几号",
    "calculator": "计算 算一下 等于",
    "calculate": "计算 算一下 等于",
    "search": "搜索 查找",
    "stock": "股价 股票",
    "price": "价格 多少钱",
    "translate": "翻译",
    "email": "邮件",
    "news": "新闻",
    "image": "图片 画",
    "video": "视频",
    "map": "地图 路线",
}


@dataclass(frozen=True, slots=True)
class Script:
    """What another engine has decided: a text, then calls with their arguments."""

    text: str
    calls: tuple[tuple[Tool, str], ...] = ()


def answer(ask: Ask, *, think: bool = False, script: Script | None = None) -> Iterator[Piece]:
    """The pieces of one choice, `End` last. Raises `Refusal` 400 before the first piece when a picture is broken.

    `script`: what to do instead of choosing by the rules above.
    """
    seen = attend_all(ask)
    looks = [seen[media.url].said for media in ask.question.media]
    calls = list(script.calls) if script else _calls(ask)
    text = script.text if script else "" if calls else _text(ask, seen, looks)
    thinks = think or ask.effort not in (None, "none", "minimal") if ask.thinks is None else ask.thinks
    reasons = _reasons(ask, calls) if thinks else ""
    return _pieces(ask, reasons, text, calls, prompt_counts(ask, seen))


def attend_all(ask: Ask) -> dict[str, Seen]:
    """What all media of the request are, by URL. Raises `Refusal` 400 when one is broken."""
    return {media.url: attend(media, chinese=is_chinese(turn.text)) for turn in ask.turns for media in turn.media}


def _pieces(ask: Ask, reasons: str, text: str, calls: list[tuple[Tool, str]], prompt: Counts) -> Iterator[Piece]:
    """Cut everything into tokens, stop at the first stop string and at the limit."""
    finish: FinishReason = "tool_calls" if calls else "stop"
    cuts = sorted((at, stop) for stop in ask.stops if (at := text.find(stop)) >= 0)
    text = text[: cuts[0][0]] if cuts else text
    left = ask.limit if ask.limit is not None else 1 << 30
    spent = thought = 0
    for token in tokens(reasons)[:left]:
        yield Thought(token)
        spent, thought, left = spent + 1, thought + 1, left - 1
    for token in tokens(text)[:left]:
        yield Text(token)
        spent, left = spent + 1, left - 1
    for index, (tool, arguments) in enumerate(calls):
        if left <= 0:
            break
        yield Opened(index, tool.name, custom=tool.schema is None)
        for token in tokens(arguments)[:left]:
            yield Argued(index, token, custom=tool.schema is None)
            spent, left = spent + 1, left - 1
    wanted = len(tokens(reasons)) + len(tokens(text)) + sum(len(tokens(arguments)) for _, arguments in calls)
    counts = replace(prompt, completion=spent, reasoning=thought)
    if spent < wanted:
        yield End("length", counts)
    else:
        yield End(finish, counts, stop=cuts[0][1] if cuts else None)


def _calls(ask: Ask) -> list[tuple[Tool, str]]:
    """The tools to call with their arguments. None once results have come, whatever the choice says."""
    if ask.choice == "none" or not ask.tools or not ask.turns or ask.turns[-1].role != "user":
        return []
    text = ask.question.text
    mentioned = sorted(
        (at, number) for number, tool in enumerate(ask.tools) if (at := _mention(tool, text)) is not None
    )
    chosen = [ask.tools[number] for _, number in mentioned]
    if not chosen and ask.choice == "required":
        chosen = [ask.tools[0]]
    if not ask.parallel:
        chosen = chosen[:1]
    if len(chosen) == 1 and ask.parallel and _takes_place(chosen[0]):
        chosen = chosen * max(1, len(find_places(text)))
    calls: list[tuple[Tool, str]] = []
    for tool in chosen:
        hints = Hints(text, skip_places=sum(earlier is tool for earlier, _ in calls))
        calls.append((tool, text if tool.schema is None else _json(_fill(tool.schema, hints, "tools"))))
    return calls


def _mention(tool: Tool, text: str) -> int | None:
    """Where the text names the tool or its subject; None when it does not."""
    low = text.lower()
    if (at := low.find(tool.name.lower())) >= 0:
        return at
    subjects = [word.lower() for word in _WORD.findall(tool.name) if word.lower() not in _PLAIN_VERBS]
    chinese = [word for subject in subjects for word in _CHINESE_SUBJECTS.get(subject, "").split()]
    described = re.findall(r"[\u4e00-\u9fff]{2}", tool.description)
    for word in subjects + [word for word in _WORD.findall(tool.description.lower()) if len(word) > 4]:
        if word not in _COMMON and (found := re.search(rf"\b{re.escape(word)}", low)):
            return found.start()
    places = [at for word in chinese + described if (at := text.find(word)) >= 0]
    return min(places) if places else None


def _takes_place(tool: Tool) -> bool:
    names = " ".join((tool.schema or {}).get("properties", {}))
    return re.search(r"city|location|place|城市|地点", names, re.IGNORECASE) is not None


def _text(ask: Ask, seen: dict[str, Seen], looks: list[str]) -> str:
    question = ask.question.text
    chinese = is_chinese(question)
    results = _results(ask, seen)
    if ask.format is not None:
        return _json(
            _fill(ask.format, Hints(question), "response_format") if ask.format else {"answer": question.strip()}
        )
    if results:
        listed = "; ".join(f"{name}: {result}" for name, result in results)
        return f"根据工具返回的结果，{listed}。" if chinese else f"According to the tools, {listed}."
    if looks:
        return "\n".join(looks)
    if found := _COUNT.search(question):
        return " ".join(map(str, range(1, int(found[1]) + 1)))
    return f"你说的是：{question}" if chinese else f"You said: {question}"


def _results(ask: Ask, seen: dict[str, Seen]) -> list[tuple[str, str]]:
    """The tool results after the last message of the user, with the names of their tools."""
    names = {call.id: call.name for turn in ask.turns for call in turn.calls}
    results: list[tuple[str, str]] = []
    for turn in reversed(ask.turns):
        if turn.role == "user":
            break
        if turn.role == "tool":
            said = [turn.text.strip(), *(seen[media.url].said for media in turn.media)]
            results.insert(0, (names.get(turn.answers, "tool"), " ".join(filter(None, said))))
    return results


def _reasons(ask: Ask, calls: list[tuple[Tool, str]]) -> str:
    question = ask.question.text.strip()
    if is_chinese(question):
        plan = f"需要调用 {calls[0][0].name}。" if calls else "不需要工具，直接回答即可。"
        return f"用户问的是“{question[:80]}”。先看有没有合适的工具。{plan}"
    plan = f"I need to call {calls[0][0].name}." if calls else "No tool is needed, so I answer directly."
    return f'The user writes "{question[:80]}". First I check the tools on offer. {plan}'


def _fill(schema: Schema, hints: Hints, param: str) -> Any:
    try:
        return fill(schema, hints)
    except WrongSchema as exc:
        raise Refusal(400, f"Invalid schema: {exc}", code="invalid_json_schema", param=param) from exc


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
