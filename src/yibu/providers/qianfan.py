"""Baidu Qianfan, second version of its API. Docs: cloud.baidu.com/doc/qianfan-api/s/3m7of64lb, read 2026-11-22."""

from yibu.providers._messages import SystemRole, ThoughtsAs
from yibu.providers._quirk import Between, OneAnswer, Without
from yibu.providers._thinking import Budget
from yibu.providers.provider import Provider


class Qianfan(Provider):
    """ERNIE and open models, with the bearer keys of the second version (`bce-v3/…`)."""

    id = "qianfan"
    title = "Baidu Qianfan"
    base_url = "https://qianfan.baidubce.com"
    speaks = {"openai_chat": "/v2/chat/completions", "openai_embeddings": "/v2/embeddings", "jina_rerank": "/v2/rerank"}
    models_path = "/v2/models"
    lists_all = False
    quirks = {
        "openai_chat": (
            OneAnswer(),
            Between("temperature", 0.01, 1),
            Without("logprobs", "top_logprobs", "logit_bias", "store", "service_tier"),
            Budget(),
            SystemRole(),
            ThoughtsAs("reasoning_content", "reasoning", "reasoning_details"),
        )
    }
