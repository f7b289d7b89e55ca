import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.corpus import Recording, name_of, needs_corpus, recordings
from yibu.dialects.openai_chat import DIALECT as CHAT
from yibu.hub.errors import (
    Absent,
    Broken,
    Busy,
    Denied,
    HubError,
    Internal,
    InvalidRequest,
    OutOfCredit,
    Refused,
    TooFast,
    UnknownModel,
    UpstreamError,
    WrongKey,
)


def sort(status: int, body: Any = None, **headers: str) -> UpstreamError:
    told = {key.replace("_", "-"): value for key, value in headers.items()}
    return CHAT.decode_error(status, told, body if isinstance(body, bytes) else json.dumps(body).encode())


def about(**members: Any) -> dict[str, Any]:
    return {"error": {"message": "m", **members}}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, about(type="rate_limit_error"), Busy),
        (529, about(type="overloaded_error"), Busy),
        (429, about(code="insufficient_quota"), Denied),
        (429, about(type="insufficient_quota"), Denied),
        (429, about(code="billing_hard_limit_reached"), Denied),
        (429, {"error": {"code": "1113", "message": "您的账户已欠费"}}, Denied),
        (400, about(code="Arrearage"), Denied),
        (402, {"error": {"message": "Insufficient Balance"}}, Denied),
        (401, about(code="invalid_api_key"), Denied),
        (403, about(code="unsupported_country_region_territory"), Denied),
        (403, about(code="model_not_found"), Absent),
        (403, about(code="content_policy_violation"), Refused),
        (404, about(code="model_not_found"), Absent),
        (400, about(code="model_not_found"), Absent),
        (400, {"error": {"message": "Model Not Exist"}}, Absent),
        (404, {"error": {"message": "No such file"}}, Refused),
        (404, b"", Broken),
        (400, about(code="context_length_exceeded"), Refused),
        (413, about(), Refused),
        (422, {"detail": [{"loc": ["body", "n"], "msg": "bad", "type": "int"}]}, Refused),
        (408, about(), Broken),
        (500, about(), Broken),
        (503, about(code="server_is_overloaded"), Broken),
        (502, b"<html>bad gateway</html>", Broken),
        (403, b"<!DOCTYPE html>", Broken),
        (404, b"<html>", Broken),
        (301, b"", Broken),
    ],
)
def test_situations(status: int, body: Any, kind: type[UpstreamError]) -> None:
    """Each answer of a vendor is the situation on which routing acts."""
    assert type(sort(status, body)) is kind


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        (about(message="bad", code="invalid_value"), "bad", "invalid_value"),
        ({"error": "bad"}, "bad", ""),
        ({"object": "error", "message": "bad", "type": "x", "param": None, "code": "3051"}, "bad", "3051"),
        ({"detail": "bad"}, "bad", ""),
        ({"detail": [{"loc": ["body", "n"], "msg": "bad", "type": "int"}]}, "bad", ""),
        ({"id": "1", "message": "bad"}, "bad", ""),
        ({"message": "bad"}, "bad", ""),
        ([{"error": {"code": 400, "message": "bad", "status": "INVALID_ARGUMENT"}}], "bad", ""),
        ({"error": {"code": 400, "message": "Provider returned error", "metadata": {"raw": "bad"}}}, "bad", ""),
        (
            {
                "error": {
                    "code": 400,
                    "message": "Provider returned error",
                    "metadata": {"raw": '{"error":{"message":"bad"}}'},
                }
            },
            "bad",
            "",
        ),
        (b"bad", "bad", ""),
        (None, "The vendor refused this request.", ""),
    ],
)
def test_shapes(body: Any, message: str, code: str) -> None:
    """The vendor's words are found in every known shape."""
    error = sort(400, body)

    assert (error.message, error.upstream_code, error.upstream_status) == (message, code, 400)


def test_wrong_member() -> None:
    """The vendor's path of the wrong member is kept for the caller."""
    assert sort(400, about(param="messages[3]")).param == "messages[3]"
    assert sort(422, {"detail": [{"loc": ["body", "n"], "msg": "bad"}]}).param == "n"


def test_nothing_secret_gets_out() -> None:
    """Keys, addresses and hosts are taken out of what a caller may read, keys also out of the log."""
    words = (
        "Incorrect key sk-proj-abcdef123456 for org-Abcdefgh1234 at https://api.vendor.example/v1?key=AIzaSyA1234567890 "
        "(10.0.0.7:8080, gateway.internal, ops@vendor.com, Bearer abc.def)"
    )
    error = sort(400, about(message=words))

    for secret in ("sk-proj", "org-A", "AIza", "abc.def"):
        assert secret not in error.message + error.upstream_words
    for place in ("vendor", "10.0.0.7", "internal"):
        assert place not in error.message


def test_other_situations_have_our_words() -> None:
    """What a vendor says about the operator's account is for the log only."""
    error = sort(401, about(message="key of ACME is expired"))

    assert "ACME" not in error.message
    assert "ACME" in error.upstream_words


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after_ms": "1500", "retry_after": "7"}, 1.5),
        ({"retry_after": "Wed, 21 Oct 2015 07:28:10 GMT", "date": "Wed, 21 Oct 2015 07:28:00 GMT"}, 10.0),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "-5"}, 0.0),
        ({"retry_after": "inf"}, None),
        ({"retry_after": "1e9"}, 86400.0),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    """The wait is told in milliseconds, seconds or as a date."""
    assert sort(429, about(), **headers).retry_after_s == seconds


@needs_corpus
@pytest.mark.parametrize("taken", [taken for taken in recordings("openai-chat") if taken.status != 200], ids=name_of)
def test_recorded_errors(taken: Recording) -> None:
    """Recorded errors are sorted by their status; refusals keep the vendor's words."""
    error = CHAT.decode_error(taken.status, {}, taken.body)
    kinds: dict[int, type[UpstreamError]] = {400: Refused, 404: Absent, 429: Busy}

    assert type(error) is kinds[taken.status]
    if isinstance(error, Refused):
        assert error.upstream_code
        assert error.message[:20] in taken.body.decode()


@given(st.integers(100, 599), st.binary(max_size=80))
def test_any_error_body(status: int, body: bytes) -> None:
    """Whatever the body is, it is sorted."""
    assert isinstance(CHAT.decode_error(status, {}, body), UpstreamError)


@pytest.mark.parametrize(
    ("error", "status", "kind", "code"),
    [
        (InvalidRequest("x", param="$.n"), 400, "invalid_request_error", "invalid_request"),
        (WrongKey(), 401, "authentication_error", "invalid_api_key"),
        (OutOfCredit(), 429, "insufficient_quota", "insufficient_quota"),
        (UnknownModel(), 404, "invalid_request_error", "model_not_found"),
        (TooFast(), 429, "rate_limit_error", "rate_limit_exceeded"),
        (
            Refused("x", upstream_code="context_length_exceeded"),
            400,
            "invalid_request_error",
            "context_length_exceeded",
        ),
        (Broken(), 502, "server_error", "upstream_broken"),
        (Denied(), 503, "service_unavailable_error", "upstream_denied"),
        (Internal(), 500, "server_error", "internal_error"),
    ],
)
def test_our_errors_in_their_shape(error: HubError, status: int, kind: str, code: str) -> None:
    """All four members are there and one more, and the message ends with the request id."""
    told = json.loads(CHAT.encode_error(error, "req_1"))["error"]

    assert CHAT.error_status(error) == status
    assert told.pop("message_zh").startswith(error.zh)
    assert told == {"message": f"{error.message} (request id: req_1)", "type": kind, "param": error.param, "code": code}


def test_error_in_a_stream() -> None:
    """One frame ends a stream that had begun; there is no `[DONE]`."""
    frame = CHAT.encode_stream_error(Broken(), "req_1")

    assert frame.startswith(b'data: {"error":{')
    assert frame.endswith(b"}\n\n")
    assert frame.count(b"data:") == 1


def test_an_error_is_told_in_chinese_too() -> None:
    """What kind it is; what is particular to this one keeps its English words, and the request id is there as well."""
    usual = json.loads(CHAT.encode_error(TooFast(), "req_1"))["error"]
    special = json.loads(CHAT.encode_error(UnknownModel("The model `x` is not here."), ""))["error"]

    assert usual["message_zh"] == "这把密钥的请求太频繁，请稍等再试。（请求编号：req_1）"
    assert special["message_zh"] == (
        "没有这个模型，或这把密钥不能用它；`GET /v1/models` 列出可用的模型。（The model `x` is not here.）"
    )
    assert special["message"] == "The model `x` is not here."
