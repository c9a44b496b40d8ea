"""Whose a server is, by its name: the owner of the address's domain, or somebody else."""

from __future__ import annotations

import pytest

from smtp_wizard.engine.discovery.server_identity import belongs_to, owner_of, whose_words


@pytest.mark.parametrize(
    ("host", "domain", "own"),
    [
        ("smtp.victim.com", "victim.com", True),
        ("victim.com", "victim.com", True),
        ("smtp.victim.com", "mail.victim.com", True),
        ("SMTP.Victim.COM.", "victim.com", True),
        ("smtp.victim.co.uk", "victim.co.uk", True),
        ("smtp.evil.co.uk", "victim.co.uk", False),
        ("victim.com.evil.test", "victim.com", False),
        ("victim.example.evil.test", "victim.example", False),
        ("notvictim.com", "victim.com", False),
        ("victim.com-evil.test", "victim.com", False),
        ("xn--vctim-pza.com", "victim.com", False),
        # the names that a hoster gives
        ("smtp.b.github.io", "a.github.io", False),
        ("smtp.a.github.io", "a.github.io", True),
        ("smtp.github.io", "github.io", False),
        ("github.io", "github.io", True),
        ("smtp.evil.com", "com", False),
        # names in other letters
        ("smtp.xn--bcher-kva.de", "bücher.de", True),
        ("smtp.bücher.de", "xn--bcher-kva.de", True),
        ("smtp.bucher.de", "bücher.de", False),
        ("smtp.xn--85x722f.xn--55qx5d.cn", "食狮.公司.cn", True),
        ("smtp.evil.xn--55qx5d.cn", "食狮.公司.cn", False),
        # endings without a registry
        ("smtp.victim.example", "victim.example", True),
        ("smtp.firm.internal", "mail.firm.internal", True),
        ("smtp.other.internal", "firm.internal", False),
        ("smtp.corp", "corp", False),
        # no names at all
        ("192.0.2.4", "victim.com", False),
        ("10.0.2.4", "11.0.2.4", False),
        ("2001:db8::1", "victim.com", False),
        ("127.1", "victim.127.1", False),
        ("a.0x7f000001", "b.a.0x7f000001", False),
        ("", "", False),
        ("a..com", "b..com", False),
        ("\u2028", "\u2028", False),
    ],
)
def test_a_server_belongs_to_whoever_registered_the_domain(host: str, domain: str, own: bool) -> None:
    assert belongs_to(host, domain) is own


def test_whose_it_is_is_said_in_one_sentence() -> None:
    assert whose_words("smtp.victim.com", "victim.com") == ""
    assert whose_words("mx.smtp.evil.co.uk", "victim.com") == "this server belongs to evil.co.uk, not to victim.com"
    assert whose_words("192.0.2.4", "bücher.de") == "this server does not belong to bücher.de"
    assert (
        whose_words("xn--vctim-pza.com", "victim.com") == "this server belongs to xn--vctim-pza.com, not to victim.com"
    )


@pytest.mark.parametrize("name", ["github.io", "com", "localhost", "10.0.0.1", "::1", "fe80::1%eth0", ""])
def test_what_nobody_registered_has_no_owner(name: str) -> None:
    assert owner_of(name) == ""
