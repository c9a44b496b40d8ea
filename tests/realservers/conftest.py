"""The real servers, each started once for all tests that ask for it. Where they are missing, those tests fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.realservers.oidc import TokenServer, run_oidc, run_token_mail
from tests.realservers.servers import MailServer, run_exim, run_postfix


@pytest.fixture(scope="session")
def postfix() -> Iterator[MailServer]:
    """Postfix with Dovecot's sign-in."""
    with run_postfix() as server:
        yield server


@pytest.fixture(scope="session")
def exim() -> Iterator[MailServer]:
    """Exim."""
    with run_exim() as server:
        yield server


@pytest.fixture(scope="session")
def oauth() -> Iterator[TokenServer]:
    """The OAuth server."""
    with run_oidc() as server:
        yield server


@pytest.fixture(scope="session")
def token_mail(oauth: TokenServer) -> Iterator[Mapping[str, MailServer]]:
    """Postfix with Dovecot's sign-in by tokens, by kind of token."""
    with run_token_mail(oauth) as servers:
        yield servers
