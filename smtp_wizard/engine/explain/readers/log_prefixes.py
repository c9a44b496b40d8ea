"""What logs write before each line: when, where and which program. It says nothing about what went wrong.

Syslog (RFC 3164 section 4.1, RFC 5424), the dates of frameworks, and the names of containers and processes.
"""

from __future__ import annotations

import re

_CLOCK = r"\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d{1,9})?(?:\s?[AP]M)?(?:\s?(?:Z|UTC|GMT|CES?T|[+-]\d\d:?\d\d))?"
_DAY = (
    r"(?:\d{4}[-/.]\d\d?[-/.]\d\d?|\d\d?[./-]\d\d?[./-]\d{2,4}"
    r"|(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?\s)?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\s{1,2}\d{1,2}(?:,?\s\d{4})?"
    r"|\d{1,2}[ /-](?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[ /-]\d{2,4})"
)
_WHEN = rf"\[?(?:{_DAY}[T ,:]{{1,2}}{_CLOCK}|{_CLOCK}|{_DAY})(?:\s\d{{4}})?\]?"
_PREFIX = re.compile(
    rf"""[ \t]{{0,20}}
    (?:[\w.-]{{1,40}}[ \t]{{0,20}}\|[ \t])?              # docker compose, pm2: 'web_1  | '
    (?:<\d{{1,3}}>\d?[ ])?                                # RFC 5424's priority
    (?P<when>{_WHEN})?[ ,:\-|\t]{{0,6}}
    (?:<[0-9a-z]{{8}}>[ ]|\[[0-9a-f]{{8}}\][ ])?           # Roundcube: '<1lnaie7h> '; MailSo: '[f6136f22] '
    """,
    re.VERBOSE,
)
_PROGRAM = re.compile(r"(?:[\w.-]{1,80}[ ])?(?P<program>[a-zA-Z][\w/.-]{0,60})\[\d{1,8}\]:[ ]{0,4}")
_SYSLOG = re.compile(
    r"[\w.-]{1,80}[ ](?P<program>(?:postfix|sm-mta|sendmail|exim|dovecot|smtpd|msmtp)[\w/.-]{0,60}):[ ]{1,4}"
)
_LEVEL = re.compile(
    r"(?:\[?(?:[\w.-]{1,40}\.)?(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|CRITICAL|FATAL"
    r"|SEVERE)\]?[ :|\-]{1,3}|\[\d{1,8}\][ :]{1,2}){1,3}",
    re.IGNORECASE,
)


def split_prefix(line: str) -> tuple[str, str, str]:
    """Return when a line was written, by which program, and what it says; '' for what does not stand there."""
    found = _PREFIX.match(line)
    assert found is not None, "it fits the empty text"
    if not found["when"]:
        program = _PROGRAM.match(line)
        return ("", program["program"], line[program.end() :]) if program is not None else ("", "", line)
    at = found.end()
    program = _PROGRAM.match(line, at) or _SYSLOG.match(line, at)
    at = program.end() if program is not None else at
    level = _LEVEL.match(line, at)
    at = level.end() if level is not None else at
    return found["when"].strip("[]"), program["program"] if program is not None else "", line[at:]


def without_prefix(line: str) -> str:
    """Return what a line of a log says."""
    return split_prefix(line)[2]
