"""The real servers, each started once for all tests that ask for it. Where they are missing, those tests fail."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

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
