"""Requests and answers that use much of their format, to be damaged by tests; and the damage."""

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "title": "Where",
    "properties": {
        "city": {"type": ["string", "null"], "description": "Which.", "enum": ["Oslo", "Rome"], "format": "date"},
        "days": {"type": "array", "items": {"$ref": "#/$defs/day"}, "minItems": 2},
        "more": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}], "nullable": True},
    },
    "required": ["city"],
    "oneOf": [{"properties": {"x": {"const": 1}}, "required": ["x"]}, {"type": "object", "required": ["y"]}],
    "$defs": {"day": {"type": "string", "maxLength": 9}},
    "additionalProperties": False,
}

REQUESTS: dict[str, dict[str, Any]] = {
    "openai_chat": {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be short."},
            {
                "role": "user",
                "name": "ann",
                "content": [
                    {"type": "text", "text": "Look."},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}},
                    {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
                    {
                        "type": "file",
                        "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="},
                    },
                ],
            },
            {
                "role": "assistant",
                "content": "Let me see.",
                "reasoning_content": "Hm.",
                "tool_calls": [
                    {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"city":"Oslo"}'}},
                    {"id": "call_2", "type": "custom", "custom": {"name": "say", "input": "words"}},
                ],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "Rain."},
            {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": "Said."}]},
            {"role": "user", "content": "And now?"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {"name": "look", "description": "d", "parameters": SCHEMA, "strict": True},
            },
            {"type": "custom", "custom": {"name": "say", "description": "d", "format": {"type": "text"}}},
        ],
        "tool_choice": {"type": "function", "function": {"name": "look"}},
        "parallel_tool_calls": False,
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}},
        "temperature": 0.5,
        "top_p": 0.9,
        "presence_penalty": 0.1,
        "seed": 7,
        "stop": ["END"],
        "logprobs": True,
        "top_logprobs": 2,
        "logit_bias": {"50": -1},
        "reasoning_effort": "low",
        "max_completion_tokens": 100,
        "n": 1,
        "stream": True,
        "stream_options": {"include_usage": True},
        "metadata": {"a": "b"},
        "user": "u",
        "service_tier": "auto",
        "verbosity": "low",
        "prompt_cache_key": "k",
        "of_tomorrow": {"x": [1]},
    },
    "openai_responses": {
        "model": "m",
        "instructions": "Be short.",
        "input": [
            {
                "type": "message",
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "Look."},
                    {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}", "detail": "low"},
                    {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="},
                ],
            },
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}]},
            {
                "type": "message",
                "role": "assistant",
                "id": "msg_1",
                "status": "completed",
                "content": [{"type": "output_text", "text": "Let me see.", "annotations": []}],
            },
            {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": '{"city":"Oslo"}'},
            {"type": "function_call_output", "call_id": "call_1", "output": "Rain."},
            {"type": "custom_tool_call", "call_id": "call_2", "name": "say", "input": "words"},
            {"type": "custom_tool_call_output", "call_id": "call_2", "output": "Said."},
            {"role": "user", "content": "And now?"},
        ],
        "tools": [
            {"type": "function", "name": "look", "description": "d", "parameters": SCHEMA, "strict": True},
            {"type": "custom", "name": "say", "format": {"type": "grammar", "syntax": "lark", "definition": "x"}},
            {"type": "web_search", "search_context_size": "low"},
        ],
        "tool_choice": {"type": "function", "name": "look"},
        "parallel_tool_calls": False,
        "text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": True}, "verbosity": "low"},
        "reasoning": {"effort": "low", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
        "temperature": 0.5,
        "top_p": 0.9,
        "max_output_tokens": 100,
        "stream": True,
        "store": False,
        "metadata": {"a": "b"},
        "truncation": "auto",
        "user": "u",
        "of_tomorrow": {"x": [1]},
    },
    "anthropic": {
        "model": "m",
        "max_tokens": 2000,
        "system": [{"type": "text", "text": "Be short.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Look."},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
                    {
                        "type": "document",
                        "source": {"type": "text", "media_type": "text/plain", "data": "words"},
                        "title": "t",
                        "citations": {"enabled": True},
                    },
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm.", "signature": "EqQB"},
                    {"type": "redacted_thinking", "data": "EmwK"},
                    {"type": "text", "text": "Let me see."},
                    {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"city": "Oslo"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "toolu_1",
                        "is_error": True,
                        "content": [
                            {"type": "text", "text": "Rain."},
                            {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
                        ],
                    },
                    {"type": "text", "text": "And now?"},
                ],
            },
        ],
        "tools": [
            {"name": "look", "description": "d", "input_schema": SCHEMA, "cache_control": {"type": "ephemeral"}},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 2},
        ],
        "tool_choice": {"type": "tool", "name": "look", "disable_parallel_tool_use": True},
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
        "temperature": 0.5,
        "top_k": 5,
        "stop_sequences": ["END"],
        "stream": True,
        "metadata": {"user_id": "u"},
        "service_tier": "auto",
        "of_tomorrow": {"x": [1]},
    },
    "gemini": {
        "systemInstruction": {"parts": [{"text": "Be short."}]},
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"text": "Look."},
                    {"inlineData": {"mimeType": "image/png", "data": PNG}},
                    {"fileData": {"mimeType": "video/mp4", "fileUri": "https://example.com/a.mp4"}},
                ],
            },
            {
                "role": "model",
                "parts": [
                    {"text": "Hm.", "thought": True},
                    {"text": "Let me see.", "thoughtSignature": "EqQB"},
                    {
                        "functionCall": {"id": "c1", "name": "look", "args": {"city": "Oslo"}},
                        "thoughtSignature": "AA==",
                    },
                    {"executableCode": {"language": "PYTHON", "code": "1"}},
                ],
            },
            {
                "role": "user",
                "parts": [
                    {"functionResponse": {"id": "c1", "name": "look", "response": {"result": "Rain."}}},
                    {"text": "And now?"},
                ],
            },
        ],
        "tools": [
            {
                "functionDeclarations": [
                    {"name": "look", "description": "d", "parameters": {**SCHEMA, "type": "OBJECT"}},
                    {"name": "see", "description": "d", "parametersJsonSchema": SCHEMA},
                ]
            },
            {"googleSearch": {}},
        ],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["look"]}},
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        "generationConfig": {
            "temperature": 0.5,
            "topK": 5,
            "maxOutputTokens": 100,
            "candidateCount": 1,
            "stopSequences": ["END"],
            "responseMimeType": "application/json",
            "responseSchema": {**SCHEMA, "type": "OBJECT"},
            "responseLogprobs": True,
            "thinkingConfig": {"includeThoughts": True, "thinkingBudget": 100},
        },
        "of_tomorrow": {"x": [1]},
    },
}

REPLIES: dict[str, dict[str, Any]] = {
    "openai_chat": {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Let me see.",
                    "refusal": None,
                    "reasoning_content": "Hm.",
                    "annotations": [
                        {"type": "url_citation", "url_citation": {"url": "https://a", "start_index": 0, "end_index": 3}}
                    ],
                    "tool_calls": [
                        {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"a":1}'}}
                    ],
                },
                "logprobs": {"content": [{"token": "a", "logprob": -0.1, "bytes": [97], "top_logprobs": []}]},
                "finish_reason": "tool_calls",
            }
        ],
        "usage": {
            "prompt_tokens": 9,
            "completion_tokens": 5,
            "total_tokens": 14,
            "prompt_tokens_details": {"cached_tokens": 2, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 1},
        },
        "service_tier": "default",
    },
    "openai_responses": {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": "m",
        "incomplete_details": {"reason": "max_output_tokens"},
        "output": [
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}]},
            {
                "type": "message",
                "id": "msg_1",
                "role": "assistant",
                "status": "completed",
                "content": [
                    {
                        "type": "output_text",
                        "text": "Let me see.",
                        "annotations": [{"type": "url_citation", "url": "https://a", "start_index": 0, "end_index": 3}],
                        "logprobs": [{"token": "a", "logprob": -0.1}],
                    }
                ],
            },
            {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "look", "arguments": '{"a":1}'},
            {
                "type": "web_search_call",
                "id": "ws_1",
                "status": "completed",
                "action": {"type": "search", "query": "q"},
            },
        ],
        "usage": {
            "input_tokens": 9,
            "input_tokens_details": {"cached_tokens": 2},
            "output_tokens": 5,
            "output_tokens_details": {"reasoning_tokens": 1},
            "total_tokens": 14,
        },
    },
    "anthropic": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": "EqQB"},
            {
                "type": "text",
                "text": "Let me see.",
                "citations": [
                    {"type": "web_search_result_location", "url": "https://a", "title": "t", "cited_text": "x"}
                ],
            },
            {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"a": 1}},
            {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}},
        ],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 9,
            "output_tokens": 5,
            "cache_read_input_tokens": 2,
            "cache_creation_input_tokens": 3,
            "cache_creation": {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 2},
            "server_tool_use": {"web_search_requests": 1},
        },
    },
    "gemini": {
        "responseId": "r1",
        "modelVersion": "m",
        "candidates": [
            {
                "index": 0,
                "content": {
                    "role": "model",
                    "parts": [
                        {"text": "Hm.", "thought": True},
                        {"text": "Let me see."},
                        {"functionCall": {"id": "c1", "name": "look", "args": {"a": 1}}, "thoughtSignature": "AA=="},
                        {"inlineData": {"mimeType": "image/png", "data": PNG}},
                    ],
                },
                "finishReason": "STOP",
                "groundingMetadata": {
                    "webSearchQueries": ["q"],
                    "groundingChunks": [{"web": {"uri": "https://a", "title": "t"}}],
                    "groundingSupports": [{"segment": {"startIndex": 0, "endIndex": 3}, "groundingChunkIndices": [0]}],
                },
                "logprobsResult": {
                    "chosenCandidates": [{"token": "a", "logProbability": -0.1}],
                    "topCandidates": [{"candidates": [{"token": "a", "logProbability": -0.1}]}],
                },
                "avgLogprobs": -0.1,
            }
        ],
        "promptFeedback": {"safetyRatings": []},
        "usageMetadata": {
            "promptTokenCount": 9,
            "candidatesTokenCount": 4,
            "thoughtsTokenCount": 1,
            "cachedContentTokenCount": 2,
            "totalTokenCount": 14,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 9}],
        },
    },
}

Path = tuple[str | int, ...]

# What JSON text may hold and no program should choke on; some of it is no JSON.
SHARDS = (
    b"1e999", b"-1e999", b"NaN", b"Infinity", b"1e-999", b"-0", b"0." + b"1" * 400, b"9" * 400, b"18446744073709551616",
    b'"\\ud800"', b'"\\udc00\\ud800"', b'"\xed\xa0\x80"', b'{"\\ud800":1}', b'{"a":1,"a":2}', b'{"type":"x","type":"text"}',
    b'"\\u0000"', b'"data:,"', b'"data:image/png;base64,%%%"', b'""', b"null", b"[]", b"{}", b"[null]", b"[[]]", b"{}}",
    b'{"type":null}', b'{"type":["text"]}', b'{"":{}}', b'"' + b"x" * 3000 + b'"', b"[" * 200 + b"]" * 200,
)  # fmt: skip

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "text", "name", "x", ""]), inner, max_size=3)
    ),
    max_leaves=4,
)


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Where something can be damaged."""
    if path:
        yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, key))


@st.composite
def damaged(draw: st.DrawFn, whole: dict[str, Any]) -> bytes:
    """JSON text in which up to three members were replaced, removed, renamed or exchanged for one from elsewhere in it."""
    value = json.loads(json.dumps(whole))
    shards: dict[str, bytes] = {}
    for number in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(places(value))))
        holder, key = _at(value, path[:-1]), path[-1]
        match draw(st.sampled_from(["value", "shard", "shard", "remove", "rename", "elsewhere"])):
            case "value":
                holder[key] = draw(ANY_JSON)
            case "shard":
                holder[key] = f"@{number}@"
                shards[f'"@{number}@"'] = draw(st.sampled_from(SHARDS))
            case "remove":
                del holder[key]
            case "rename" if isinstance(holder, dict):
                holder[draw(st.sampled_from(["\ud800", "", "type"]))] = holder.pop(key)
            case _:
                holder[key] = json.loads(json.dumps(_at(value, draw(st.sampled_from(list(places(value)))))))
        if not value:
            break
    text = json.dumps(value).encode()
    for mark, shard in shards.items():
        text = text.replace(mark.encode(), shard)
    return text


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value
