"""What a translation could not carry: data for the answer's header and the log, never silence."""

from typing import Literal

import msgspec


class Loss(msgspec.Struct, frozen=True):
    """`where`: path of the member in the dialect it came from, such as `$.logit_bias`; `detail`: what happens instead."""

    kind: Literal["dropped", "approximated", "renamed"]
    where: str
    detail: str = ""


Losses = list[Loss]
"""Encoders append to it; the carrier puts it into `x-yibu-loss` and the call's log row."""
