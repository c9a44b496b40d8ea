"""The MX hosts of the list: endings that lead to a provider with a server, and hints that lead to a question alone."""

from __future__ import annotations

from smtp_wizard.engine.providers.catalog import load_catalog
from smtp_wizard.engine.providers.provider import ProviderKind

CATALOG = load_catalog()


def test_who_has_no_server_for_all_has_hints_and_no_endings() -> None:
    """Else what the domain itself publishes would be taken for a web host's: those hosts say nothing about a server."""
    for host in ("mx20.antispam.mailspamprotection.com", "wes1-mx1.wedos.net"):
        assert CATALOG.by_mx([host]) == ()
    for each in CATALOG.providers:
        servers = [one for one in each.endpoints if one.offered]
        assert servers or not each.mx or each.kind is ProviderKind.NO_SMTP, each.id
        assert not set(each.mx_hints) & set(each.mx), each.id


def test_firms_at_tencent_are_told_from_mailboxes_of_qq() -> None:
    """Their mail hosts end in qq.com as well, and their server is another one."""
    assert [each.id for each in CATALOG.by_mx(["mxbiz1.qq.com"])] == ["tencent-exmail"]
    assert [each.id for each in CATALOG.by_mx(["mx3.qq.com"])] == ["qq"]
