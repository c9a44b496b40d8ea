"""The step Server in lines of text: by hand, its usual ports, and who blocks one."""

from __future__ import annotations

import pytest

from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.scan.control_host import ControlHost
from smtp_wizard.engine.services.services import Services
from smtp_wizard.engine.wizard.draft import Draft
from tests.plain.exchanges import BETTER, PASSWORD, Look, Walk, at_server, practising
from tests.support.checking import mendable
from tests.support.dialogue import Exchange
from tests.support.farhost import HOST as FAR_HOST
from tests.support.farhost import REFUSING, STARTTLS_PORT, TLS_PORT, FarHost, serving
from tests.support.network import Network

TYPED: Exchange = ("E-mail address:", "you@sandbox.test")
"""The same, typed as an address."""


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("http://mail.example.com", "without http://"),
        ("mail example com", "no blanks"),
        ("mail.example.com/path", "without a slash"),
        ("mail_1.example.com", "underscore"),
        ("mail.example.com:99999", "port is a number"),
        ("ana@example.com", "e-mail address"),
    ],
)
def test_a_server_that_is_none_is_said_and_asked_again(answered: Look, bad: str, why: str) -> None:
    draft = answered(("Outgoing server", bad), (why, "mail.example.com"), draft=at_server())
    assert draft.connection.endpoint == Endpoint("mail.example.com", 465, Security.TLS)


def test_a_server_is_taken_as_it_was_pasted(answered: Look) -> None:
    draft = answered(("Outgoing server", "smtps://mail.example.com:2465"), draft=at_server())
    assert draft.connection.endpoint == Endpoint("mail.example.com", 2465, Security.TLS)


def test_a_server_in_other_letters_is_taken(answered: Look) -> None:
    draft = answered(("Outgoing server", "münchen.example"), draft=at_server())
    assert draft.connection.endpoint is not None
    assert draft.connection.endpoint.host == "xn--mnchen-3ya.example"


@pytest.mark.parametrize("bad", ["abc", "0", "99999", "-1", "587.0"])
def test_a_port_that_is_none_is_said_and_asked_again(answered: Look, bad: str) -> None:
    draft = answered(HOST, SECURITY, ("Port [587]", bad), ("from 1 to 65535", "2525"), draft=at_server())
    assert draft.connection.endpoint == Endpoint("127.0.0.1", 2525, Security.STARTTLS)


HOST: Exchange = ("Outgoing server", "127.0.0.1")
SECURITY: Exchange = ("Secure connection:", "starttls")


def to_settings(port: str = "", user: str = "ana") -> tuple[Exchange, ...]:
    """Everything about the server up to where it can be tested."""
    return HOST, SECURITY, ("Port [587]", port), ("User name", user), ("From address", "")


def test_the_port_follows_the_security_until_one_is_typed(answered: Look) -> None:
    draft = answered(
        *(HOST, ("Secure connection:", "tls"), ("Port [465]", "back"), SECURITY, ("Port [587]", "4000")),
        *(("User name", "back"), ("Port [4000]", "back"), ("Secure connection:", "tls"), ("Port [4000]", "")),
        draft=at_server(),
    )
    assert draft.connection.endpoint == Endpoint("127.0.0.1", 4000, Security.TLS)


def test_without_a_user_name_the_server_wants_no_sign_in(answered: Look) -> None:
    """'-' empties what stands in brackets."""
    draft = answered(*to_settings(user="-"), draft=at_server(username="ana"))
    assert (draft.connection.username, draft.connection.auth) == ("", "none")


def test_the_from_address_may_differ(answered: Look) -> None:
    draft = answered(*to_settings()[:-1], ("From address", "office@firm.example"), draft=at_server())
    assert str(draft.from_address) == "office@firm.example"


def test_the_server_is_tested_without_a_password(walk: Walk) -> None:
    """Behind 'Enter the server by hand': each stage up to the encryption, and what that proved."""
    said = walk(
        *(TYPED, practising("back"), ("Yes, go on", "hand"), practising("accept")),
        *(
            ("Outgoing server", ""),
            ("Secure", ""),
            ("Port", ""),
            ("User name", ""),
            ("From address", ""),
            ("Try this port only", "test"),
            ("Server: 127", "quit"),
        ),
        ("Leave now?", "yes"),
    )
    assert "ok    Encryption" in said.said
    assert "Sign in " not in said.said
    assert "Server and port are right. The password comes next." in said.words


FAR: Exchange = ("Outgoing server", FAR_HOST)
AWAY: tuple[Exchange, ...] = (("", "quit"), ("Leave now?", "yes"))
BLOCKS = "whether this network blocks port 587"


def test_the_usual_ports_are_tried_and_the_best_that_answers_is_taken(walk: Walk, network: Network) -> None:
    """Each is told of as it answers; then which is best and why, and what the network does."""
    network.wire = FarHost({465: REFUSING, 587: serving(*STARTTLS_PORT), 2525: REFUSING, 25: REFUSING})
    script = (FAR, *to_settings("4000")[1:], ("Try the usual ports", "ports"))
    said = walk(*script, (f"Server: {FAR_HOST}, port 587, STARTTLS", "quit"), AWAY[1], draft=at_server())
    for words in (
        "-- 465 refuses connections",
        "ok 587 STARTTLS",
        "It is the port for handing in mail",
    ):
        assert words in said.words
    assert "Connections to ports 465, 2525 and 25 are refused at once" in said.words
    assert said.words.index("465 refuses") < said.words.index("587 STARTTLS")


def test_where_no_usual_port_answers_the_settings_stay(answered: Look, network: Network) -> None:
    network.wire = FarHost(dict.fromkeys((465, 587, 2525, 25), REFUSING))
    script = (FAR, *to_settings("4000")[1:], ("Try the usual", "ports"), ("None of the usual ports answers", "back"))
    draft = answered(*script, draft=at_server())
    assert draft.connection.endpoint == Endpoint(FAR_HOST, 4000, Security.STARTTLS)


@pytest.fixture
def gmail_is_neutral(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whom to ask about port 587."""
    known = (ControlHost("smtp.gmail.com", (587,)),)
    monkeypatch.setattr("smtp_wizard.engine.scan.control_host.load_control_hosts", lambda: known)


@pytest.mark.usefixtures("gmail_is_neutral")
@pytest.mark.parametrize("yes", [True, False])
def test_whether_the_network_blocks_a_port_is_found_out_after_a_yes(walk: Walk, network: Network, yes: bool) -> None:
    """The host that would be contacted is named; without a yes it is not even looked up."""
    wire = FarHost({587: REFUSING})
    network.wire = wire
    said = walk(
        *(FAR, *to_settings()[1:], ("Try this port only", "test"), (BLOCKS, "network")),
        *(("smtp.gmail.com, a well-known mail server", "yes" if yes else ""), *AWAY),
        draft=at_server(),
    )
    assert ("smtp.gmail.com" in wire.asked) is yes
    assert ("This network blocks port 587 Smtp.gmail.com serves there" in said.words) is yes


@pytest.mark.usefixtures("gmail_is_neutral")
def test_whether_the_network_blocks_a_port_can_be_asked_where_one_signs_in(walk: Walk, network: Network) -> None:
    """What to do begins with another port of the same server that does serve."""
    network.wire = FarHost({587: REFUSING, 465: serving(*TLS_PORT)})
    said = walk(
        *(FAR, *to_settings()[1:], ("Use this server", "on"), ("User name", ""), ("not shown", PASSWORD)),
        *((BLOCKS, "network"), ("smtp.gmail.com", "yes"), *AWAY),
        draft=at_server(),
    )
    assert "Who must act: Whoever runs the network 1. Use port 465 with SSL/TLS instead: it serves." in said.words


def test_what_a_finding_offers_is_the_first_answer(
    answered: Look, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Enter takes the offer and tests it."""
    monkeypatch.setattr(services.checks, "check_draft", mendable(BETTER))
    offer = "1. Use port 465 with SSL/TLS"
    draft = answered(
        *to_settings(),
        ("Try this port only", "test"),
        (offer, ""),
        ("Server and port are right", "on"),
        draft=at_server(),
    )
    assert draft.connection.endpoint == BETTER


def security_of(draft: Draft) -> Security | None:
    return draft.connection.endpoint.security if draft.connection.endpoint is not None else None


def test_a_password_without_encryption_needs_a_yes(answered: Look) -> None:
    """The careful answer is the first; a secure connection can be chosen on the spot."""
    bare = (
        HOST,
        ("Secure connection:", "none"),
        ("Port [25]", ""),
        ("User name", "ana"),
        ("From", ""),
        ("Use this server", "on"),
    )
    agreed = answered(*bare, ("everybody between this computer", "yes"), draft=at_server())
    assert agreed.connection.allow_cleartext
    assert security_of(agreed) is Security.NONE
    script = (*bare, ("everybody between", ""), ("Secure connection:", "tls"), ("Port [465]", ""))
    careful = answered(*script, draft=at_server())
    assert not careful.connection.allow_cleartext
    assert security_of(careful) is Security.TLS
