"""Signatures: as the specification's own library makes and takes them; nothing else passes."""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook

from adapters.api.signing import Signer, Unsigned, is_secret, parse_secret
from tests.emulators.api_secrets import OTHER, SECRET

BODY = '{"type":"message","text":"Привет 🙂"}'.encode()
NOW = datetime.now(UTC).timestamp()


def signer(*secrets: str) -> Signer:
    return Signer([parse_secret(one) for one in secrets or (SECRET,)])


def test_the_specifications_library_takes_ours() -> None:
    headers = signer().headers("msg_1", time.time(), BODY)  # the library knows no other time
    assert Webhook(SECRET).verify(BODY, headers)["type"] == "message"


def test_we_take_the_specifications_librarys() -> None:
    at = datetime.fromtimestamp(int(NOW), UTC)
    signature = Webhook(SECRET).sign("msg_1", at, BODY.decode())
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(NOW)), "webhook-signature": signature}
    assert signer().check(headers, BODY, NOW) == "msg_1"


def test_the_example_of_the_specification() -> None:
    """Test vector of the specification's libraries (standard-webhooks, Apache-2.0 and MIT)."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    headers = Signer([key]).headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_a_secret_is_changed_both_fit() -> None:
    both = signer(SECRET, OTHER)
    for one in (SECRET, OTHER):
        assert both.check(signer(one).headers("a", NOW, BODY), BODY, NOW) == "a"
        assert Webhook(one).verify(BODY, both.headers("a", time.time(), BODY))


@pytest.mark.parametrize(
    ("changed", "body", "what"),
    [
        ({"webhook-signature": ""}, BODY, "wrong_secret"),
        ({"webhook-id": ""}, BODY, "wrong_secret"),
        ({"webhook-id": "another"}, BODY, "wrong_secret"),
        ({"webhook-id": "a.b"}, BODY, "wrong_secret"),
        ({"webhook-id": "a b"}, BODY, "wrong_secret"),
        ({"webhook-id": "x" * 201}, BODY, "wrong_secret"),
        ({"webhook-id": "ы"}, BODY, "wrong_secret"),
        ({"webhook-timestamp": ""}, BODY, "wrong_secret"),
        ({"webhook-timestamp": "soon"}, BODY, "wrong_secret"),
        ({"webhook-timestamp": "nan"}, BODY, "wrong_secret"),
        ({"webhook-timestamp": "-5"}, BODY, "wrong_secret"),
        ({"webhook-timestamp": "1e9"}, BODY, "wrong_secret"),
        ({"webhook-timestamp": "9" * 30}, BODY, "wrong_secret"),
        ({"webhook-timestamp": "1"}, BODY, "wrong_secret"),
        ({"webhook-signature": "v1,"}, BODY, "wrong_secret"),
        ({"webhook-signature": "garbage"}, BODY, "wrong_secret"),
        ({"webhook-signature": "v1,ы"}, BODY, "wrong_secret"),
        ({"webhook-signature": ("v1,AAAA " * 9).strip()}, BODY, "wrong_secret"),
        ({}, BODY + b" ", "wrong_secret"),
    ],
)
def test_what_does_not_fit_is_refused(changed: dict[str, str], body: bytes, what: str) -> None:
    headers = signer().headers("a", NOW, BODY) | changed
    with pytest.raises(Unsigned) as refused:
        signer().check(headers, body, NOW)
    assert refused.value.what == what


def test_another_version_of_a_right_signature_is_none() -> None:
    headers = signer().headers("a", NOW, BODY)
    headers["webhook-signature"] = headers["webhook-signature"].replace("v1,", "v2,")
    with pytest.raises(Unsigned):
        signer().check(headers, BODY, NOW)


@pytest.mark.parametrize(("away", "fits"), [(299, True), (-299, True), (302, False), (-302, False)])
def test_the_window_is_five_minutes_both_ways(away: float, fits: bool) -> None:
    headers = signer().headers("a", NOW + away, BODY)
    if fits:
        assert signer().check(headers, BODY, NOW) == "a"
        return
    with pytest.raises(Unsigned) as refused:
        signer().check(headers, BODY, NOW)
    assert refused.value.what == "replay"


def test_without_a_key_nothing_fits() -> None:
    with pytest.raises(Unsigned):
        Signer([]).check(signer().headers("a", NOW, BODY), BODY, NOW)


@pytest.mark.parametrize(
    "text", ["", "short", "whsec_", "whsec_!!!!", "whsec_" + "AAAA", "whsec_" + "A" * 200, "A" * 44]
)
def test_secrets_that_are_none(text: str) -> None:
    assert not is_secret(text)
    with pytest.raises(ValueError) as error:
        parse_secret(text)
    assert len(text) < 7 or text not in str(error.value)
