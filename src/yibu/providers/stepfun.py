"""StepFun. Docs: platform.stepfun.com/docs/api-reference/chat/chat-completion-create, read 2026-11-22."""

from yibu.providers._messages import SystemRole
from yibu.providers._quirk import USUAL_CEILING, Between, Without
from yibu.providers.provider import Provider


class StepFun(Provider):
    """The address outside of China is `https://api.stepfun.ai`."""

    id = "stepfun"
    title = "StepFun"
    base_url = "https://api.stepfun.com"
    speaks = {"openai_chat": "/v1/chat/completions"}
    quirks = {
        "openai_chat": (
            USUAL_CEILING,
            Between("temperature", 0, 2),
            Without("logprobs", "top_logprobs", "logit_bias", "seed", "store", "metadata", "service_tier"),
            SystemRole(),
        )
    }
