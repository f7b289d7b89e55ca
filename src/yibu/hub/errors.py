"""Everything that can go wrong, each class one situation that a caller of the code handles differently.

    HubError
    ├── CallerError                 the caller's to mend; never tried elsewhere, never billed
    │   ├── InvalidRequest          400  wrong or missing member (`param` is its path)
    │   │   ├── WouldLose           400  the vendor's format lacks a word for it, and the answer would be wrong without
    │   │   └── UnknownResponse     400  what it continues is not kept
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

The docstring of a class is its default message, `zh` the same in Chinese. A dialect turns an error into its own body and, where its vendor
uses another status for the situation, into another status.
"""

from typing import ClassVar, Literal

Retry = Literal["elsewhere", "never"]


class HubError(Exception):
    """Something went wrong."""

    zh: ClassVar[str] = "出错了。"
    """The default message in Chinese. Its wording is that of docs/errors.zh.md."""
    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    retry: ClassVar[Retry] = "never"

    def __init__(self, message: str = "", *, param: str | None = None, retry_after_s: float | None = None) -> None:
        """`param`: path of the wrong member, such as `$.messages[0].role`; `retry_after_s`: when trying again makes sense."""
        self.message = message or (type(self).__doc__ or "").strip()
        self.message_zh = f"{self.zh}（{message}）" if message else self.zh
        """The situation in Chinese, and what is particular to this one in the words of `message`."""
        self.param = param
        self.retry_after_s = retry_after_s
        super().__init__(self.message)


class CallerError(HubError):
    """The request cannot be served as it is."""

    zh = "这个请求无法受理，请修改后重试。"
    code = "invalid_request"
    status = 400


class InvalidRequest(CallerError):
    """The request body is not what this route expects."""

    zh = "请求体不符合接口要求，请按提示修改。"


class WouldLose(InvalidRequest):
    """The vendor of this model cannot be told everything that the request asks for."""

    zh = "厂商使用另一种格式，其中无法表达你要求的全部内容；请去掉 `param` 指出的成员，或换一个模型。"
    code = "translation_loss"


class UnknownResponse(InvalidRequest):
    """The response that this one continues is not kept any more, or never was. Send the whole conversation instead."""

    code = "previous_response_not_found"
    zh = "它所接续的回答已不再保存，或从未保存过。请改为发送整段对话。"


class InvalidMedia(CallerError):
    """The picture could not be used: send a PNG, JPEG, WebP or GIF as a public http(s) URL or as a data URL."""

    zh = "图片取不到或无法识别：请用 PNG、JPEG、WebP 或 GIF，给公网 http(s) 地址或 data URL。"
    code = "invalid_image_url"


class NoKey(CallerError):
    """You did not provide an API key. Send it in the header `Authorization: Bearer <key>`."""

    zh = "请求没有带密钥，请加上请求头 `Authorization: Bearer <密钥>`。"
    code = "missing_api_key"
    status = 401


class WrongKey(CallerError):
    """This API key is not known here, or it was revoked. Check it, or ask the operator for a new one."""

    zh = "密钥不存在或已失效：请检查有没有漏字符，或向运营者要一把新的。"
    code = "invalid_api_key"
    status = 401


class NotAllowed(CallerError):
    """This API key may not do that."""

    zh = "这把密钥没有这项权限，请换一个模型或换一把密钥。"
    code = "access_denied"
    status = 403


class OutOfCredit(CallerError):
    """The balance does not cover this call. Top up, or ask for a shorter answer."""

    zh = "余额不够支付这次调用的最高费用：请充值，或少要一点。"
    code = "insufficient_quota"
    status = 402


class UnknownModel(CallerError):
    """The model does not exist, or this key cannot use it. `GET /v1/models` lists what it can use."""

    zh = "没有这个模型，或这把密钥不能用它；`GET /v1/models` 列出可用的模型。"
    code = "model_not_found"
    status = 404


class NotFound(CallerError):
    """There is nothing at this address."""

    zh = "这个地址没有东西，或已过期，或不是你的；请检查地址。"
    code = "not_found"
    status = 404


class WrongMethod(CallerError):
    """This address does not take that method."""

    zh = "这个地址不接受该请求方法。"
    code = "method_not_allowed"
    status = 405


class TooLarge(CallerError):
    """The request body is too large."""

    zh = "请求体太大；大图请改用 URL。"
    code = "request_too_large"
    status = 413


class TooFast(CallerError):
    """Too many requests for this key. Wait a moment and try again."""

    zh = "这把密钥的请求太频繁，请稍等再试。"
    code = "rate_limit_exceeded"
    status = 429


class UpstreamError(HubError):
    """The vendor could not answer."""

    zh = "厂商答不了，请重试。"
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

    zh = "厂商拒绝的是请求本身，请按提示修改请求。"
    code = "upstream_refused"
    status = 400
    retry = "never"


class Busy(UpstreamError):
    """The vendor is busy. Try again in a moment."""

    zh = "厂商正忙，请稍等再试。"
    code = "upstream_busy"
    status = 429


class Broken(UpstreamError):
    """The vendor's answer broke off or could not be understood. Try again."""

    zh = "厂商出错、中断，或返回了无法理解的内容，请重试。"
    code = "upstream_broken"


class Late(UpstreamError):
    """The vendor did not answer in time. Try again."""

    zh = "厂商没有及时回答，请重试。"
    code = "upstream_timeout"
    status = 504


class Denied(UpstreamError):
    """The vendor did not accept the operator's account. The operator has been told; try another model."""

    zh = "厂商不接受运营者的账号，已告知运营者；请换一个模型。"
    code = "upstream_denied"
    status = 503


class Absent(UpstreamError):
    """The vendor does not know this model."""

    zh = "厂商那边没有这个模型，请换一个模型。"
    code = "upstream_model_absent"
    status = 503


class NoChannel(HubError):
    """No vendor can serve this model at the moment. Try again in a minute."""

    zh = "此刻没有厂商能提供这个模型，请一分钟后再试。"
    code = "no_channel"
    status = 503


class Internal(HubError):
    """Something went wrong on our side. Quote the request id when you report it."""

    zh = "这是我们的错，请附上请求编号告诉我们。"
    code = "internal_error"
    status = 500
