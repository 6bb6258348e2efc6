"""Where a request came from, and who asks."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from argon2 import extract_parameters
from argon2.exceptions import VerifyMismatchError
from argon2.profiles import RFC_9106_LOW_MEMORY

from moderation.core.networks import client_address, forwarded_of
from moderation.core.signing import FORM_OLDEST, FORM_YOUNGEST, SHARED, Signer
from moderation.team.passwords import NOBODY, hasher  # the true ones: all other tests take cheap ones

TRUSTED = (ip_network("127.0.0.1/32"), ip_network("10.0.0.0/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "found"),
    [
        ("203.0.113.9", "", (), "203.0.113.9"),
        ("93.184.216.34", "198.51.100.1", (), "93.184.216.34"),  # anybody can write that header
        ("127.0.0.1", "198.51.100.1", TRUSTED, "198.51.100.1"),
        ("127.0.0.1", "198.51.100.1, 10.1.2.3", TRUSTED, "198.51.100.1"),
        ("127.0.0.1", "192.0.2.66, 198.51.100.1, 10.1.2.3", TRUSTED, "198.51.100.1"),  # the rightmost untrusted hop
        ("127.0.0.1", "2001:db8::7", TRUSTED, "2001:db8::7"),
        ("127.0.0.1", "10.1.2.3", TRUSTED, "10.1.2.3"),
        ("127.0.0.1", "nonsense, 10.1.2.3", TRUSTED, SHARED),  # a header never removes a limit
        ("127.0.0.1", "198.51.100.1", (), SHARED),  # a proxy that nobody declared
        ("10.0.0.5", "198.51.100.1", (), SHARED),
        ("127.0.0.1", "", (), ""),
        ("", "198.51.100.1", TRUSTED, SHARED),
        ("127.0.0.1", "198.51.100.1:4711", TRUSTED, "198.51.100.1"),
        ("127.0.0.1", "198.51.100.1:4711, 10.1.2.3:80", TRUSTED, "198.51.100.1"),
        ("127.0.0.1", "[2001:db8::7]:4711", TRUSTED, "2001:db8::7"),
        ("127.0.0.1", "[2001:db8::7", TRUSTED, "2001:db8::7"),
        ("127.0.0.1", '"[2001:db8::7]:4711"', TRUSTED, "2001:db8::7"),
        ("127.0.0.1", "2001:DB8:0::7", TRUSTED, "2001:db8::7"),
        ("127.0.0.1", " 198.51.100.1 : 4711 ,, 10.1.2.3 ", TRUSTED, "198.51.100.1"),
        ("127.0.0.1", "198.51.100.1,", TRUSTED, "198.51.100.1"),
        ("127.0.0.1", "::ffff:198.51.100.1", TRUSTED, "198.51.100.1"),
        ("127.0.0.1", "[::ffff:198.51.100.1]:4711, ::ffff:10.1.2.3", TRUSTED, "198.51.100.1"),
        ("::ffff:127.0.0.1", "198.51.100.1", TRUSTED, "198.51.100.1"),
        ("127.0.0.1", "198.51.100.1, unknown", TRUSTED, SHARED),
        ("127.0.0.1", "unknown, 198.51.100.1", TRUSTED, "198.51.100.1"),
        ("127.0.0.1", "unknown", TRUSTED, SHARED),
        ("127.0.0.1", "_hidden", TRUSTED, SHARED),
        ("127.0.0.1", " , ,", TRUSTED, SHARED),  # nor does an empty one
        ("127.0.0.1", ",", (), SHARED),
        ("10.0.0.5", ", ", TRUSTED, SHARED),
        ("93.184.216.34", ",", (), "93.184.216.34"),
        ("127.0.0.1", "198.51.100.256", TRUSTED, SHARED),
        ("127.0.0.1", "198.51.100.1:4711:1", TRUSTED, SHARED),
    ],
)
def test_the_address_is_the_rightmost_hop_that_we_do_not_trust(
    peer: str,
    forwarded: str,
    trusted: tuple,
    found: str,  # type: ignore[type-arg]
) -> None:
    assert client_address(peer, forwarded, trusted) == found


def test_all_headers_of_a_request_make_one_list_of_hops() -> None:
    assert forwarded_of([]) == ""
    assert forwarded_of(["198.51.100.1", "10.1.2.3, 10.1.2.4"]) == "198.51.100.1, 10.1.2.3, 10.1.2.4"
    for empty in ("", "  ", ",", " ,\t"):
        assert client_address("127.0.0.1", forwarded_of([empty]), TRUSTED) == SHARED
        assert client_address("127.0.0.1", forwarded_of(["198.51.100.1", empty]), TRUSTED) == SHARED


def test_keys_hide_what_they_are_made_of_and_tell_the_same_from_another() -> None:
    signer, other = Signer(b"0123456789abcdef"), Signer(b"fedcba9876543210")
    assert signer.author_key("Ann@example.org", "") == signer.author_key("ann@example.org", "x")
    assert signer.author_key("ann@example.org", "") != other.author_key("ann@example.org", "")
    assert (
        signer.network_key("2001:db8::1")
        == signer.network_key("2001:db8::ffff")
        != signer.network_key("2001:db8:0:1::1")
    )
    assert signer.network_key("::ffff:192.0.2.1") == signer.network_key("192.0.2.1")
    assert signer.network_key("") == signer.network_key("nonsense") == ""


def test_tokens_of_one_kind_do_not_serve_as_another() -> None:
    signer, id = Signer(b"0123456789abcdef"), "01m843hsam0024pgrw9tw3s7e7"
    receipt = signer.receipt(id)
    assert signer.comment_of(receipt) == id and signer.comment_of("https://x.example/receipts/" + receipt) == id
    for forged in ("", id, receipt[:-1], receipt + "x", id + signer.edit_token(id), receipt.upper(), "é" * 50):
        assert signer.comment_of(forged) is None
    assert signer.is_edit_token(id, signer.edit_token(id)) and not signer.is_edit_token(id, receipt[26:])


def test_a_form_token_has_an_age_and_a_place() -> None:
    signer, now = Signer(b"0123456789abcdef"), 1_800_000_000_000
    token = signer.form_token("default", "post", now)
    for site, article, at, found in (
        ("default", "post", now + FORM_YOUNGEST, "ok"),
        ("default", "post", now + FORM_YOUNGEST - 1, "early"),
        ("default", "post", now + FORM_OLDEST + 1, "old"),
        ("default", "other", now + 5000, "missing"),
        ("other", "post", now + 5000, "missing"),
    ):
        assert signer.check_form_token(token, site, article, at) == found
    for forged in ("", ".", "zz.x", "-1.x", token + "x", token.replace(token[-1], "_")):
        assert signer.check_form_token(forged, "default", "post", now + 5000) == "missing"


def test_where_nobody_is_a_password_is_compared_as_long_as_anywhere() -> None:
    with pytest.raises(VerifyMismatchError):  # which a hash that cannot be read would not come to
        hasher.verify(NOBODY, "a password")
    assert not hasher.check_needs_rehash(NOBODY), "it has other costs than a true one"


def test_a_hash_costs_what_the_rfc_asks_for() -> None:
    assert extract_parameters(hasher.hash("four unrelated words")) == RFC_9106_LOW_MEMORY
