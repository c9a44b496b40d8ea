"""Postfix with Dovecot's mailboxes: what is sent comes back, and is read over IMAP."""

from __future__ import annotations

import contextlib
import os
import pwd
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from smtp_wizard.engine.base.endpoint import Endpoint, Security
from tests.realservers.servers import (
    HOST,
    NAME,
    SESSION_BEGIN,
    SESSION_END,
    SIGN_IN,
    MailServer,
    certificates,
    dovecot_version,
    ending_master,
    greets,
    program,
    running,
    server_folder,
    services,
    write_postfix,
    write_users,
)
from tests.support.certs import CertificateFiles
from tests.support.ports import free_ports

GONE = "nobody@gone.example"
"""Taken, and returned at once: there is no such mailbox."""
FULL = "bob@full.example"
"""The same: the mailbox is full."""
TRANSPORTS = """\
transport_maps = inline:{{ gone.example=smtp:[{host}]:{port}, full.example=smtp:[{host}]:{port} }}
"""
CLIENT = "smtp  unix  -  -  n  -  -  smtp\n"
"""The service of Postfix that hands mail on; it knows the way to the server below alone."""
SAYS = {
    b"gone.example": b"550 5.1.1 Recipient address rejected: User unknown\r\n",
    b"full.example": b"552 5.2.2 The mailbox is full\r\n",
}
"""What the server of a domain says to each of its recipients."""


class _Refusing(socketserver.StreamRequestHandler):
    """A mail server that takes nobody's mail."""

    def handle(self) -> None:
        self.wfile.write(b"220 mx.elsewhere.example ESMTP\r\n")
        while line := self.rfile.readline():
            command = line[:4].upper()
            said = next((words for domain, words in SAYS.items() if domain in line), b"250 2.0.0 Ok\r\n")
            self.wfile.write(said if command == b"RCPT" else b"250 2.0.0 Ok\r\n")
            if command == b"QUIT":
                return


@contextlib.contextmanager
def _refusing_server() -> Iterator[int]:
    """Run such a server; yield its port."""
    with socketserver.ThreadingTCPServer((HOST, 0), _Refusing) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True, slots=True)
class Mailboxes:
    """The servers, and where their mailboxes are read."""

    smtp: MailServer
    imap: Endpoint

    def put(self, user: str, octets: bytes, folder: str = "", name: str = "") -> None:
        """Put a letter into a mailbox, as a server for delivery would. `folder`: 'Junk'."""
        box = self.smtp.mail / user / (f".{folder}" if folder else "")
        owner = pwd.getpwnam("nobody")
        for each in (box, *(box / part for part in ("tmp", "new", "cur"))):
            each.mkdir(exist_ok=True)
            os.chown(each, owner.pw_uid, owner.pw_gid)
        file = box / "new" / (name or f"{len(list((box / 'new').iterdir()))}.made.up")
        file.write_bytes(octets)
        os.chown(file, owner.pw_uid, owner.pw_gid)


@contextlib.contextmanager
def run_mailboxes() -> Iterator[Mailboxes]:
    """Run both. Raises `ServerTrouble` where one is missing, or does not start."""
    with server_folder() as folder, _refusing_server() as elsewhere:
        authority, certificate = certificates(folder)
        starttls_port, tls_port, imap_port = free_ports(3)
        config = write_postfix(folder, certificate, services(starttls_port, tls_port))
        with (config / "main.cf").open("a", encoding="utf-8") as file:
            file.write(TRANSPORTS.format(host=HOST, port=elsewhere))
        with (config / "master.cf").open("a", encoding="utf-8") as file:
            file.write(CLIENT)
        with _run_imap(folder, certificate, imap_port):
            log = folder / "postfix.log"
            command = [program("postfix"), "-c", str(config), "start-fg"]
            with (
                running(command, folder, log, lambda: greets(starttls_port)),
                ending_master(folder / "queue" / "pid" / "master.pid"),
            ):
                smtp = MailServer(
                    starttls_port=starttls_port,
                    tls_port=tls_port,
                    ca_file=authority.file,
                    log=log,
                    mail=folder / "mail",
                    session_end=SESSION_END,
                    sign_in=SIGN_IN,
                    session_begin=SESSION_BEGIN,
                )
                yield Mailboxes(smtp, Endpoint(NAME, imap_port, Security.TLS))


@contextlib.contextmanager
def _run_imap(folder: Path, certificate: CertificateFiles, port: int) -> Iterator[None]:
    """Run Dovecot with a port for IMAP, and its sign-in for Postfix on the socket `folder`/auth."""
    write_users(folder)
    old = dovecot_version().startswith("2.3.")
    values = {
        "FOLDER": str(folder),
        "PORT": str(port),
        "CHAIN": str(certificate.chain),
        "KEY": str(certificate.key),
        "HOST": HOST,
    }
    settings = (_SETTINGS_2_3 if old else _SETTINGS_2_4) + _SETTINGS
    for name, value in values.items():
        settings = settings.replace(f"@{name}@", value)
    config = folder / "dovecot.conf"
    config.write_text(settings, "utf-8")
    command = [program("dovecot"), "-F", "-c", str(config)]
    with running(command, folder, folder / "dovecot.log", lambda: _speaks_tls(port)):
        yield


def _speaks_tls(port: int) -> bool:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((HOST, port), timeout=2) as plain,
            context.wrap_socket(plain, server_hostname=NAME) as line,
        ):
            return line.recv(512).startswith(b"* OK")
    except OSError:
        return False


_SETTINGS = """\
protocols = imap
base_dir = @FOLDER@/dovecot
log_path = @FOLDER@/dovecot.log
auth_failure_delay = 0
auth_mechanisms = plain login
first_valid_uid = 1
service auth {
  unix_listener @FOLDER@/auth {
    mode = 0660
    user = postfix
    group = postfix
  }
}
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = @PORT@
    ssl = yes
  }
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
namespace inbox {
  inbox = yes
  separator = /
  mailbox Junk {
    auto = create
    special_use = \\Junk
  }
  mailbox Sent {
    auto = create
    special_use = \\Sent
  }
}
"""

_SETTINGS_2_3 = """\
listen = @HOST@
ssl = required
ssl_cert = <@CHAIN@
ssl_key = <@KEY@
mail_location = maildir:@FOLDER@/mail/%n
passdb {
  driver = passwd-file
  args = username_format=%u @FOLDER@/users
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=@FOLDER@/mail/%n
}
"""

_SETTINGS_2_4 = """\
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
listen = @HOST@
ssl = required
ssl_server_cert_file = @CHAIN@
ssl_server_key_file = @KEY@
mail_driver = maildir
mail_path = @FOLDER@/mail/%{user|username}
passdb passwd-file {
  passwd_file_path = @FOLDER@/users
}
userdb static {
  fields {
    uid = nobody
    gid = nogroup
    home = @FOLDER@/mail/%{user|username}
  }
}
"""
