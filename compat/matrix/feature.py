"""The features that are tried, and what can come of a try."""

from typing import Literal, NamedTuple

from compat.stand import OTHERS, UPSTREAMS


class Feature(NamedTuple):
    """One row of the matrix."""

    id: str
    title: str
    zh: str


FEATURES = (
    Feature("text", "text, with a system prompt", "文本与系统提示"),
    Feature("history", "several turns", "多轮对话"),
    Feature("stream", "streamed text", "流式文本"),
    Feature("unicode", "Chinese and emoji, streamed", "流式中文与 emoji"),
    Feature("usage", "usage with cached, written and reasoning tokens", "用量明细（缓存、推理）"),
    Feature("stream_usage", "the same at the end of a stream", "流式用量明细"),
    Feature("length", "cut at the ceiling of tokens", "达到上限截断"),
    Feature("stop", "stop strings", "停止词"),
    Feature("tool_call", "a tool call that matches its schema", "工具调用"),
    Feature("stream_tool_call", "the same, streamed", "流式工具调用"),
    Feature("parallel", "several calls at once", "并行工具调用"),
    Feature("tool_result", "calls and results in the history", "工具结果回传"),
    Feature("tool_error", "a tool's failure", "工具报错"),
    Feature("forced", "one tool demanded", "强制调用工具"),
    Feature("no_tool", "tools forbidden", "禁止调用工具"),
    Feature("schema", "an answer by JSON schema", "结构化输出"),
    Feature("image", "a picture in the question", "图片输入"),
    Feature("image_result", "a picture in a tool's result", "工具结果含图片"),
    Feature("pdf", "a PDF in the question", "PDF 输入"),
    Feature("audio", "sound in the question", "音频输入"),
    Feature("reasoning", "the thoughts before the answer", "思考过程"),
    Feature("stream_reasoning", "the same, streamed", "流式思考过程"),
    Feature("reasoning_loop", "thoughts kept through a tool loop", "思考状态跨工具回合"),
    Feature("refusal", "an answer that the vendor filters", "被过滤的回答"),
    Feature("busy", "a busy vendor, as the SDK's own error", "上游繁忙"),
    Feature("broken_stream", "an error inside a stream", "流中出错"),
    Feature("wrong", "a wrong member, with its path", "参数错误提示"),
    Feature("count", "tokens counted without a call", "计算 token"),
)


RANKING_FEATURES = (
    Feature("v1", "ranking, version 1 of the client", "重排序（第一版客户端）"),
    Feature("v2", "ranking, version 2 of the client", "重排序（第二版客户端）"),
    Feature("top_n", "only the best few", "只要前几名"),
    Feature("documents", "documents in the answer", "回答带回文档"),
    Feature("objects", "documents that are objects", "对象形式的文档"),
    Feature("units", "units of search in the answer", "搜索单位计量"),
    Feature("busy", "a busy vendor, as the SDK's own error", "上游繁忙"),
    Feature("wrong", "a wrong member, with its path", "参数错误提示"),
)
VECTOR_FEATURES = (
    Feature("float", "vectors as numbers", "数字形式的向量"),
    Feature("base64", "vectors as base64", "base64 形式的向量"),
    Feature("int8", "vectors as small integers", "int8 形式的向量"),
    Feature("dimensions", "shorter vectors", "缩短维数"),
    Feature("usage", "usage", "用量"),
    Feature("busy", "a busy vendor, as the SDK's own error", "上游繁忙"),
    Feature("wrong", "a wrong member, with its path", "参数错误提示"),
)


class Table(NamedTuple):
    """What a client is tried with, and over which upstreams."""

    features: tuple[Feature, ...]
    upstreams: tuple[str, ...]


CHAT = Table(FEATURES, tuple(UPSTREAMS))
RANKINGS = Table(RANKING_FEATURES, tuple(name for name in OTHERS if name != "openai"))
VECTORS = Table(VECTOR_FEATURES, ("openai",))


class Outcome(NamedTuple):
    """`detail`: of what was lost or went wrong.

    `ok`: works; `declared`: the answer said in `x-yibu-loss`, or a clear error, what the other format has no word for; `none`: this
    SDK has no such thing; `failed`: neither.
    """

    kind: Literal["ok", "declared", "none", "failed"]
    detail: str = ""
