"""What went wrong on the way to a server, below SMTP."""

from __future__ import annotations

from smtp_wizard.engine.base.shown import NO_WORDS, Shown
from smtp_wizard.engine.smtp.symptom import Fault, TlsFault


class WireError(Exception):
    """The transport failed. `words` are the operating system's or OpenSSL's."""

    def __init__(self, fault: Fault, words: Shown = NO_WORDS, tls: TlsFault | None = None) -> None:
        super().__init__(fault.value)
        self.fault = fault
        self.words = words
        self.tls = tls
