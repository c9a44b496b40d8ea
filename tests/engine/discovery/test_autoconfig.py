"""What a published configuration means, and what becomes of one that is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.endpoint import Endpoint, Security
from smtp_wizard.engine.discovery.autoconfig import (
    AutoconfigError,
    PublishedServer,
    load_database,
    own_addresses,
    read_offers,
)

ANA = Address("ana.maria", "firm.de")


def configuration(*servers: str) -> bytes:
    """Return a configuration with these outgoing servers."""
    inside = "".join(f"<outgoingServer type='smtp'>{each}</outgoingServer>" for each in servers)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1"><emailProvider id="firm.de"><domain>firm.de</domain><displayName>Firm</displayName>
<incomingServer type="imap"><hostname>imap.firm.de</hostname><port>993</port><socketType>SSL</socketType>
</incomingServer>{inside}</emailProvider></clientConfig>""".encode()


def server(host: str = "smtp.firm.de", port: str = "465", socket: str = "SSL", more: str = "") -> str:
    """Return the inside of one outgoing server."""
    return f"<hostname>{host}</hostname><port>{port}</port><socketType>{socket}</socketType>{more}"


def test_the_outgoing_servers_are_read_in_their_order() -> None:
    password = "<username>%EMAILADDRESS%</username><authentication>password-cleartext</authentication>"
    oauth = "<username>%EMAILLOCALPART%</username><authentication>OAuth2</authentication>"
    both = f"{oauth}<authentication>password-cleartext</authentication>"
    found = read_offers(
        configuration(server(more=password), server("mail.%EMAILDOMAIN%", "587", "STARTTLS", both)), ANA
    )
    assert found == (
        PublishedServer(Endpoint("smtp.firm.de", 465, Security.TLS), "ana.maria@firm.de", ("password",)),
        PublishedServer(Endpoint("mail.firm.de", 587, Security.STARTTLS), "ana.maria", ("xoauth2", "password")),
    )


@pytest.mark.parametrize(
    "bad",
    [
        server("not a host"),
        server("https://smtp.firm.de"),
        server(port="0"),
        server(port="99999"),
        server(port=""),
        server(socket="magic"),
        "<hostname>smtp.firm.de</hostname>",
        server("\N{RIGHT-TO-LEFT OVERRIDE}smtp.firm.de"),
    ],
)
def test_a_server_that_makes_no_sense_is_left_out(bad: str) -> None:
    (found,) = read_offers(configuration(bad, server()), ANA)
    assert found.endpoint.host == "smtp.firm.de"
    with pytest.raises(AutoconfigError, match="no outgoing server"):
        read_offers(configuration(bad), ANA)


@pytest.mark.parametrize("host", ["%EMAILLOCALPART%.evil.de", "%EMAILADDRESS%", "smtp.%EMAILLOCALPART%.firm.de"])
def test_a_host_that_would_tell_whose_address_it_is_is_left_out(host: str) -> None:
    """It would be looked up, and whoever runs that domain's DNS would read the part before the @."""
    with pytest.raises(AutoconfigError, match="no outgoing server"):
        read_offers(configuration(server(host)), ANA)


def test_a_user_name_with_a_place_that_nobody_knows_is_left_open() -> None:
    (found,) = read_offers(configuration(server(more="<username>%REALNAME%-%EMAILDOMAIN%</username>")), ANA)
    assert found.username == ""


def test_what_an_address_holds_is_not_filled_in_a_second_time() -> None:
    odd = Address("%EMAILDOMAIN%", "firm.de")
    (found,) = read_offers(configuration(server(more="<username>%EMAILADDRESS%</username>")), odd)
    assert found.username == "%EMAILDOMAIN%@firm.de"


def test_a_hostile_user_name_cannot_move_the_cursor() -> None:
    (found,) = read_offers(configuration(server(more="<username>ana&#x202e;&#10;x</username>")), ANA)
    assert found.username.isprintable()


@pytest.mark.parametrize("name", ["ana&#x202e;x", "a" * 321, "%EMAILADDRESS%" * 40, "a&#10;b"])
def test_a_user_name_that_cannot_be_used_as_it_is_is_left_open(name: str) -> None:
    """Cut, or with its characters made visible, it would be somebody else's."""
    (found,) = read_offers(configuration(server(more=f"<username>{name}</username>")), ANA)
    assert found.username == ""


def test_servers_without_end_are_cut() -> None:
    assert len(read_offers(configuration(*[server(port=str(each)) for each in range(1, 100)]), ANA)) == 8


BOMB = b"""<?xml version="1.0"?><!DOCTYPE clientConfig [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><clientConfig><emailProvider>&c;</emailProvider></clientConfig>"""
FILE = b"""<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><clientConfig>&f;</clientConfig>"""


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html><body>Not found</body></html>",
        b"<clientConfig/>",
        b"<clientConfig><emailProvider/></clientConfig>",
        b"{}",
        b"\xff\xfe\x00",
        b"<clientConfig>" * 5000,
        BOMB,
        FILE,
        b'<?xml version="1.0" encoding="made-up"?><clientConfig/>',
    ],
    ids=lambda each: repr(each[:20]),
)
def test_what_is_no_configuration_says_so(document: bytes) -> None:
    with pytest.raises(AutoconfigError):
        read_offers(document, ANA)


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(document: bytes) -> None:
    with pytest.raises(AutoconfigError) as caught:
        read_offers(document, ANA)
    assert str(caught.value).isprintable()


def test_no_address_of_a_person_stands_in_a_url() -> None:
    urls = [*own_addresses("firm.de"), load_database().address("firm.de")]
    assert all(url.startswith("https://") and "firm.de" in url and "?" not in url and "@" not in url for url in urls)
    assert all(url.startswith("http://") for url in own_addresses("firm.de", plain=True))


def test_the_module_loads_no_parser_before_it_reads() -> None:
    source = Path(read_offers.__code__.co_filename).read_text("utf-8")
    assert "\nimport xml" not in source
    assert "\nimport defusedxml" not in source
