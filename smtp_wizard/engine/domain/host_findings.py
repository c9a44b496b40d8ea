"""What is wrong with a domain's mail hosts, or with the names of a server of its own, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from smtp_wizard.engine.base.shown import Shown, phrase, shown
from smtp_wizard.engine.base.stages import Verdict
from smtp_wizard.engine.base.who import Who
from smtp_wizard.engine.domain.findings import DnsOperator, DomainFinding, record_to_publish
from smtp_wizard.engine.domain.mail_hosts import MailHosts, MxFault, ServerFault

_MX_VERDICTS = {MxFault.NULL: Verdict.FAIL, MxFault.NO_SUCH_DOMAIN: Verdict.FAIL}


def mail_host_findings(hosts: MailHosts, place: DnsOperator) -> Iterator[DomainFinding]:
    """Say what is wrong with how the domain takes mail; that bounces come back depends on it."""
    for fault, where in hosts.faults:
        title, explanation = _mx_words(fault, shown(where, 253), shown(place.domain, 100))
        yield DomainFinding(
            code=fault.value,
            verdict=_MX_VERDICTS.get(fault, Verdict.WARN),
            title=title,
            explanation=explanation,
            who=Who.ADMIN,
            steps=(_mx_step(fault),) if fault is MxFault.UNREACHABLE else (place.words, _mx_step(fault)),
        )
    if not hosts.faults and hosts.policies_said and not (hosts.mta_sts and hosts.tls_reports):
        yield DomainFinding(
            code="mta_sts_missing" if not hosts.mta_sts else "tls_reports_missing",
            verdict=Verdict.SKIPPED,
            title=phrase("Encryption of incoming mail is not insisted on")
            if not hosts.mta_sts
            else phrase("Nobody hears of incoming mail that could not be encrypted"),
            explanation=phrase("That is usual, and changes nothing for the mail that you send (MTA-STS, TLS-RPT)."),
            who=Who.ADMIN,
        )


def _mx_words(fault: MxFault, where: Shown, domain: Shown) -> tuple[Shown, Shown]:
    match fault:
        case MxFault.MISSING:
            return (
                phrase("{} does not say who takes its mail", domain),
                phrase(
                    "There is no MX record. Answers and bounces may reach nobody, and some receivers refuse your mail."
                ),
            )
        case MxFault.NULL:
            return (
                phrase("{} says that it takes no mail", domain),
                phrase(
                    "Its MX record is '.'. Answers and bounces reach nobody, and receivers may refuse mail from it."
                ),
            )
        case MxFault.NO_ADDRESS:
            return (
                phrase("The mail host {} does not exist", where),
                phrase("The MX record names it, and the DNS has no address for it."),
            )
        case MxFault.ALIAS:
            return (
                phrase("The mail host {} is only another name", where),
                phrase("An MX record must name the host itself, no CNAME. Some servers do not deliver there."),
            )
        case MxFault.IS_ADDRESS:
            return (
                phrase("The MX record has an IP address: {}", where),
                phrase("It must have the name of a host."),
            )
        case MxFault.NO_SUCH_DOMAIN:
            return phrase("There is no domain {}", domain), phrase("The DNS does not know it. Perhaps it is misspelt.")
        case MxFault.UNREACHABLE:
            return phrase("The DNS of {} did not answer", domain), phrase("So nothing could be said about its mail.")


def _mx_step(fault: MxFault) -> Shown:
    match fault:
        case MxFault.NO_SUCH_DOMAIN:
            return phrase("See whether the name is right, and the domain still paid for.")
        case MxFault.UNREACHABLE:
            return phrase("Look again in some minutes.")
        case _:
            return phrase("Enter the MX records that the provider of your mailboxes names.")


def server_findings(faults: Sequence[tuple[ServerFault, str]], server: str) -> Iterator[DomainFinding]:
    """Say what is wrong with the names of a server of one's own."""
    import ipaddress

    for fault, where in faults:
        if fault is ServerFault.UNREACHABLE:
            yield DomainFinding(
                code=fault.value,
                verdict=Verdict.WARN,
                title=phrase("The DNS did not say what is called {}", shown(where, 253)),
                explanation=phrase("So nothing could be said about the name of the server."),
                who=Who.NETWORK,
                steps=(phrase("Look again in some minutes."),),
            )
            continue
        if fault is ServerFault.NO_ADDRESS:
            title = phrase("The server {} has no address", shown(server, 253))
            yield DomainFinding(
                code=fault.value,
                verdict=Verdict.FAIL,
                title=title,
                explanation=phrase("The DNS does not know it."),
                who=Who.ADMIN,
                steps=(phrase("Add an A record for it, with the address that it sends from."),),
            )
            continue
        publish = record_to_publish(ipaddress.ip_address(where).reverse_pointer, "PTR", server)
        missing = fault is ServerFault.NO_NAME
        yield DomainFinding(
            code=fault.value,
            verdict=Verdict.FAIL if missing else Verdict.WARN,
            title=phrase("The address {} has no name", shown(where, 60))
            if missing
            else phrase("The name of {} does not lead back to it", shown(where, 60)),
            explanation=phrase("Large receivers refuse mail from an address without a name that leads back to it."),
            who=Who.PROVIDER,
            steps=(
                phrase(
                    "Ask whoever gave you the address (internet provider or data centre) for this reverse name: {}",
                    shown(server, 253),
                ),
            ),
            publish=publish,
        )
