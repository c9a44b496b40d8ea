"""What `test` was asked for."""

from __future__ import annotations

from smtp_wizard.commands.options.connection import ConnectionOptions
from smtp_wizard.commands.options.passwords import PasswordSource
from smtp_wizard.engine.base.address import Address
from smtp_wizard.engine.base.stages import Depth
from smtp_wizard.engine.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRequest:
    """What was asked for, but for the accounts."""

    __test__ = False  # its name begins as that of a test does

    depth: Depth
    to: Address | None
    at_once: int
    per_host: int
    form: str
    changed: str | None
    """The name of the comparison where changes alone are wanted."""
    by_stage: bool
    """Whether the exit code says at which stage a check failed."""
    notify: str | None
    """The account through which changes are mailed, to `to`."""
    on: str | None
    """The computer that makes the same check, as ssh knows it."""
    init: str | None
    """Whose schedule is printed in place of a test: 'systemd' or 'cron'."""
    ssh_options: tuple[str, ...]
    """What ssh is told besides, as behind its -o."""
    password: PasswordSource
    connection: ConnectionOptions
