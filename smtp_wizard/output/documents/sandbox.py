"""The practice server as JSON: `sandbox` and the commands below it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from smtp_wizard.engine.base.endpoint import Endpoint
from smtp_wizard.engine.base.records import INLINE, Second, Whole
from smtp_wizard.engine.sandbox.mailbox import SandboxMessage
from smtp_wizard.output.documents.document import HeaderJson, JsonDocument


@dataclass(frozen=True, slots=True)
class Practice(JsonDocument):
    """`sandbox`: how the server is reached."""

    NAME: ClassVar = "sandbox"
    scenario: str
    what: str
    endpoints: tuple[Endpoint, ...]
    username: str
    password: str
    ca_file: str


@dataclass(frozen=True, slots=True)
class MessageJson:
    """One message in the practice mailbox."""

    key: str
    when: Second
    sender: str
    recipients: tuple[str, ...]
    subject: str
    size: Whole

    @classmethod
    def of(cls, message: SandboxMessage) -> MessageJson:
        """Return a message as a list has it."""
        return cls(message.key, message.when, message.sender, message.recipients, message.subject, message.size)


@dataclass(frozen=True, slots=True)
class Mailbox(JsonDocument):
    """`sandbox mailbox`."""

    NAME: ClassVar = "sandbox-mailbox"
    messages: tuple[MessageJson, ...]
    deleted: Whole


@dataclass(frozen=True, slots=True)
class MessageShown(JsonDocument):
    """`sandbox mailbox show`."""

    NAME: ClassVar = "sandbox-mailbox-show"
    message: Annotated[MessageJson, INLINE]
    headers: tuple[HeaderJson, ...]
    text: str
