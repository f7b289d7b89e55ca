from datetime import UTC, datetime

import pytest

from yibu.providers._sigv4 import Keys, Scope, canonical, sign

KEYS = Keys("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
SCOPE = Scope("us-east-1", "service")
AT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
HOST = "https://example.amazonaws.com"
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("method", "url", "headers", "body", "signature"),
    [
        ("GET", "/", {}, b"", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", "/", {}, b"", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "GET",
            "/?Param2=value2&Param1=value1",
            {},
            b"",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        ("GET", "/?Param1=value1", {}, b"", "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"),
        ("POST", "/?Param1=value1", {}, b"", "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"),
        ("GET", "/\u1234", {}, b"", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
        ("GET", "/example space/", {}, b"", "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"),
        (
            "POST",
            "/",
            {"content-type": FORM},
            b"Param1=value1",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
        (
            "POST",
            "/",
            {"content-type": f"{FORM}; charset=utf8"},
            b"Param1=value1",
            "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe",
        ),
    ],
    ids=[
        "get-vanilla",
        "post-vanilla",
        "get-vanilla-query-order-key-case",
        "get-vanilla-query",
        "post-vanilla-query",
        "get-utf8",
        "get-space",
        "post-x-www-form-urlencoded",
        "post-x-www-form-urlencoded-parameters",
    ],
)
def test_amazons_own_suite(method: str, url: str, headers: dict[str, str], body: bytes, signature: str) -> None:
    """The signatures that Amazon's suite gives for these requests."""
    made = sign(method, HOST + url, headers, body, KEYS, SCOPE, AT)
    names = ";".join(sorted([*headers, "host", "x-amz-date"]))
    place = "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"

    assert made == {
        "x-amz-date": "20150830T123600Z",
        "authorization": f"AWS4-HMAC-SHA256 Credential={place}, SignedHeaders={names}, Signature={signature}",
    }


def test_the_token_of_a_session_is_signed_too() -> None:
    made = sign("POST", f"{HOST}/", {}, b"", Keys("A", "s", "token"), SCOPE, AT)

    assert made["x-amz-security-token"] == "token"
    assert "SignedHeaders=host;x-amz-date;x-amz-security-token" in made["authorization"]


def test_headers_that_may_change_on_the_way_are_not_signed() -> None:
    made = sign("POST", f"{HOST}/", {"accept": "a/b", "user-agent": "x", "x-amz-a": "1"}, b"", KEYS, SCOPE, AT)

    assert "SignedHeaders=host;x-amz-a;x-amz-date," in made["authorization"]


def test_a_path_is_escaped_once_more_than_it_is_sent() -> None:
    """Ids of Bedrock's models have colons in them."""
    path = canonical("POST", f"{HOST}/model/amazon.nova-v1%3A0/converse", {}, b"").split("\n")[1]

    assert path == "/model/amazon.nova-v1%253A0/converse"


def test_the_secret_stands_nowhere() -> None:
    assert KEYS.secret not in str(sign("POST", f"{HOST}/", {}, b"", KEYS, SCOPE, AT))
