"""Embedding and moderation answers fitted to their requests."""

import pytest

from yibu.hub.embed import EmbedInput, EmbedReply, EmbedRequest, Floats, fit_embed
from yibu.hub.errors import Broken
from yibu.hub.moderate import ModerateReply, ModerateRequest, Verdict, fit_moderate
from yibu.hub.parts import Text


def test_a_vector_for_each_input() -> None:
    """A vendor that leaves inputs out is broken: nobody could tell which vector is whose."""
    request = EmbedRequest(model="m", inputs=(EmbedInput((Text("a"),)), EmbedInput((Text("b"),))), form="base64")
    one = EmbedReply(model="m", vectors=(Floats((1.0,)),))
    two = EmbedReply(model="m", vectors=(Floats((1.0,)), Floats((2.0,))))

    with pytest.raises(Broken):
        fit_embed(request, one)
    assert fit_embed(request, two).form == "base64"


def test_a_verdict_for_each_input() -> None:
    """The same for moderation."""
    request = ModerateRequest(model="m", inputs=((Text("a"),), (Text("b"),)))
    verdict = Verdict(False, {}, {})

    with pytest.raises(Broken):
        fit_moderate(request, ModerateReply(id="", model="m", verdicts=(verdict,)))
    assert len(fit_moderate(request, ModerateReply(id="", model="m", verdicts=(verdict, verdict))).verdicts) == 2
