"""Everything that can go wrong, each class one situation that a caller of the code handles differently.

    HubError
    ├── CallerError                 the caller's to mend; never tried elsewhere, never billed
    │   ├── InvalidRequest          400  wrong or missing member (`param` is its path)
    │   ├── WouldLose               400  the vendor's format lacks a word, and the operator or caller wants no loss
    │   ├── InvalidMedia            400  a picture that cannot be had or read
    │   ├── NoKey · WrongKey        401
    │   ├── NotAllowed              403
    │   ├── OutOfCredit             402
    │   ├── UnknownModel · NotFound 404
    │   ├── WrongMethod             405
    │   ├── TooLarge                413
    │   └── TooFast                 429
    ├── UpstreamError               the vendor's answer; which class decides what routing does
    │   ├── Refused                 it rejects the request itself: tell the caller, stop
    │   ├── Busy                    429, 529: cool the credential down, try the next channel
    │   ├── Broken                  5xx, cut connection, nonsense: try the next channel
    │   ├── Late                    no first byte in time: try the next channel
    │   ├── Denied                  401, 402, 403: park the credential, try the next channel
    │   └── Absent                  it does not know the model: try the next channel
    ├── NoChannel                   503  nobody can serve the call now
    └── Internal                    500  a mistake of ours; never caused by what a caller sends

The docstring of a class is its default message. A dialect turns an error into its own body and, where its vendor
uses another status for the situation, into another status.
"""

from typing import ClassVar, Literal

Retry = Literal["elsewhere", "never"]


class HubError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    retry: ClassVar[Retry] = "never"

    def __init__(self, message: str = "", *, param: str | None = None, retry_after_s: float | None = None) -> None:
        """`param`: path of the wrong member, such as `$.messages[0].role`; `retry_after_s`: when trying again makes sense."""
        self.message = message or (type(self).__doc__ or "").strip()
        self.param = param
        self.retry_after_s = retry_after_s
        super().__init__(self.message)


class CallerError(HubError):
    """The request cannot be served as it is."""

    code = "invalid_request"
    status = 400


class InvalidRequest(CallerError):
    """The request body is not what this route expects."""


class WouldLose(CallerError):
    """The vendor of this model cannot be told everything that the request asks for."""

    code = "translation_loss"


class InvalidMedia(CallerError):
    """The picture could not be used: send a PNG, JPEG, WebP or GIF as a public http(s) URL or as a data URL."""

    code = "invalid_image_url"


class NoKey(CallerError):
    """You did not provide an API key. Send it in the header `Authorization: Bearer <key>`."""

    code = "missing_api_key"
    status = 401


class WrongKey(CallerError):
    """This API key is not known here, or it was revoked. Check it, or ask the operator for a new one."""

    code = "invalid_api_key"
    status = 401


class NotAllowed(CallerError):
    """This API key may not do that."""

    code = "access_denied"
    status = 403


class OutOfCredit(CallerError):
    """The balance does not cover this call. Top up, or ask for a shorter answer."""

    code = "insufficient_quota"
    status = 402


class UnknownModel(CallerError):
    """The model does not exist, or this key cannot use it. `GET /v1/models` lists what it can use."""

    code = "model_not_found"
    status = 404


class NotFound(CallerError):
    """There is nothing at this address."""

    code = "not_found"
    status = 404


class WrongMethod(CallerError):
    """This address does not take that method."""

    code = "method_not_allowed"
    status = 405


class TooLarge(CallerError):
    """The request body is too large."""

    code = "request_too_large"
    status = 413


class TooFast(CallerError):
    """Too many requests for this key. Wait a moment and try again."""

    code = "rate_limit_exceeded"
    status = 429


class UpstreamError(HubError):
    """The vendor could not answer."""

    code = "upstream_error"
    status = 502
    retry: ClassVar[Retry] = "elsewhere"

    def __init__(
        self,
        message: str = "",
        *,
        param: str | None = None,
        retry_after_s: float | None = None,
        upstream_status: int = 0,
        upstream_code: str = "",
        upstream_words: str = "",
    ) -> None:
        """`upstream_words`: what the vendor said, for the log only; `message` is what the caller may read."""
        super().__init__(message, param=param, retry_after_s=retry_after_s)
        self.upstream_status = upstream_status
        self.upstream_code = upstream_code
        self.upstream_words = upstream_words


class Refused(UpstreamError):
    """The vendor refused this request."""

    code = "upstream_refused"
    status = 400
    retry = "never"


class Busy(UpstreamError):
    """The vendor is busy. Try again in a moment."""

    code = "upstream_busy"
    status = 429


class Broken(UpstreamError):
    """The vendor's answer broke off or could not be understood. Try again."""

    code = "upstream_broken"


class Late(UpstreamError):
    """The vendor did not answer in time. Try again."""

    code = "upstream_timeout"
    status = 504


class Denied(UpstreamError):
    """The vendor did not accept the operator's account. The operator has been told; try another model."""

    code = "upstream_denied"
    status = 503


class Absent(UpstreamError):
    """The vendor does not know this model."""

    code = "upstream_model_absent"
    status = 503


class NoChannel(HubError):
    """No vendor can serve this model at the moment. Try again in a minute."""

    code = "no_channel"
    status = 503


class Internal(HubError):
    """Something went wrong on our side. Quote the request id when you report it."""

    code = "internal_error"
    status = 500
