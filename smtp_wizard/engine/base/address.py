"""An e-mail address, parsed once."""

from __future__ import annotations

from typing import Annotated, Self

from smtp_wizard.engine.base.characters import has_control
from smtp_wizard.engine.base.endpoint import ascii_host
from smtp_wizard.engine.base.errors import InputError
from smtp_wizard.engine.base.records import AsText
from smtp_wizard.engine.base.shown import phrase, shown
from smtp_wizard.engine.lazy_dataclass import dataclass


class AddressError(InputError):
    """An e-mail address cannot be used."""


@dataclass(frozen=True, slots=True)
class Address:
    """An e-mail address, parsed once (RFC 5321 section 4.1.2; internationalised: RFC 6531)."""

    local: str
    domain: str
    """As people write it: Unicode, lower case."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take what a person typed; return the address.

        Raises `AddressError` with one sentence a person can act on. No DNS is asked.
        """
        import email_validator

        typed = text.strip()
        if not typed:
            raise AddressError(
                phrase("Type the e-mail address that you want to send from, for example ana@example.com.")
            )
        if "@" not in typed:
            raise AddressError(phrase("An e-mail address has an @ in the middle, for example ana@example.com."))
        try:
            found = email_validator.validate_email(
                typed, check_deliverability=False, test_environment=True, allow_smtputf8=True
            )
        except email_validator.EmailNotValidError as problem:
            raise AddressError(phrase("This is not an e-mail address yet: {}", shown(str(problem), 160))) from None
        return cls(found.local_part, found.domain.lower())

    @property
    def ascii_domain(self) -> str:
        """The domain as DNS and servers know it (A-labels, RFC 5890)."""
        return ascii_host(self.domain)

    @property
    def wire(self) -> str:
        """The form that goes into SMTP commands: the domain in A-labels, the local part as it is."""
        return f"{self.local}@{self.ascii_domain}"

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


def saved_address(text: str) -> Address:
    """Return an address that was parsed before it was saved; email-validator need not be loaded for it again.

    Raises `InputError` for what no address says.
    """
    local, at, domain = text.rpartition("@")
    if not (local and at and domain) or has_control(text) or any(ch.isspace() or ch in "<>" for ch in domain):
        raise AddressError(phrase("not an address"))
    ascii_host(domain)  # what cannot be written for the DNS would be found out in the middle of a check
    return Address(local, domain)


AddressText = Annotated[Address, AsText(saved_address, str, "an e-mail address")]
"""An address as it is saved and printed."""
