"""`--imap`: the server to read a mailbox from, as it is typed."""

from __future__ import annotations

import pytest

from smtp_wizard.engine.base.endpoint import Endpoint, Security, parse_imap
from smtp_wizard.engine.base.errors import InputError


@pytest.mark.parametrize(
    ("typed", "host", "port"),
    [
        ("imap.example.com", "imap.example.com", 993),
        (" imap.example.com:1993 ", "imap.example.com", 1993),
        ("127.0.0.1:143", "127.0.0.1", 143),
        ("::1", "::1", 993),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:3:4:5:6", 993),
        ("2001:db8::25", "2001:db8::25", 993),
        ("[2001:db8::25]", "2001:db8::25", 993),
        ("[2001:db8::25]:143", "2001:db8::25", 143),
    ],
)
def test_a_server_is_taken_with_a_port_and_without(typed: str, host: str, port: int) -> None:
    security = Security.STARTTLS if port == 143 else Security.TLS
    assert parse_imap(typed) == Endpoint(host, port, security)


@pytest.mark.parametrize(
    "typed",
    ["", "not a host", "imap.example.com:", "imap.example.com:99999", "ssl://imap.example.com", "[::1", "a@b:1"],
)
def test_what_names_no_server_is_refused_in_a_sentence(typed: str) -> None:
    with pytest.raises(InputError):
        parse_imap(typed)
