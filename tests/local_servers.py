"""A web server and a mail server on this machine's loopback, that keep what they were sent: for tests of alerts."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword


@dataclass
class Web:
    """What a web server was sent, and what it answers: one status after the other, the last for good."""

    url: str = ""
    answers: list[int] = field(default_factory=lambda: [200])
    headers: dict[str, str] = field(default_factory=dict)  # of each answer
    hang: threading.Event | None = None  # answers only when this is set
    bodies: list[Any] = field(default_factory=list)
    requests: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def web_server(certificate: trustme.LeafCert | None = None) -> Iterator[Web]:
    """A web server on 127.0.0.1, with TLS where a certificate is given."""
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            web.bodies.append(json.loads(body))
            web.requests.append({"path": self.path, **dict(self.headers.items())})
            if web.hang is not None:
                web.hang.wait(20)
            status = web.answers.pop(0) if len(web.answers) > 1 else web.answers[0]
            self.send_response(status)
            for name, value in web.headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    scheme = "http"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    web.url = f"{scheme}://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield web
    finally:
        if web.hang is not None:
            web.hang.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Mailbox:
    """What a mail server was sent, and whom it refuses."""

    port: int = 0
    mails: list[Message] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)  # address -> answer
    answers: list[str] = field(default_factory=list)  # to whole mails, one after the other; then they are taken
    logins: list[tuple[str, str]] = field(default_factory=list)
    was_encrypted: list[bool] = field(default_factory=list)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answers:
            return self.answers.pop(0)
        self.mails.append(message_from_bytes(envelope.content))
        self.recipients.append(list(envelope.rcpt_tos))
        self.was_encrypted.append(session.ssl is not None)
        return "250 taken"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login.decode(), data.password.decode()))
        is_known = self.logins[-1] == ("junheng", "open sesame")
        return AuthResult(success=is_known, handled=False)


class _AnyPort(Controller):
    """A controller that looks for itself where the operating system has put it."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server(certificate: trustme.LeafCert | None = None, *, wants_login: bool = False) -> Iterator[Mailbox]:
    """A mail server on 127.0.0.1; with a certificate it offers STARTTLS and takes no mail without."""
    box = Mailbox()
    options: dict[str, Any] = {}
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        options |= {"tls_context": context, "require_starttls": True}
    if wants_login:
        options |= {
            "authenticator": box.authenticate,
            "auth_required": True,
            "auth_require_tls": certificate is not None,
        }
    controller = _AnyPort(box, hostname="127.0.0.1", port=0, **options)
    controller.start()
    box.port = controller.port
    try:
        yield box
    finally:
        controller.stop()


@dataclass
class Authority:
    """An authority that this machine does not know, and a certificate of it for 127.0.0.1."""

    file: Path
    certificate: trustme.LeafCert


def authority(folder: Path) -> Authority:
    ca = trustme.CA()
    file = folder / "authority.pem"
    ca.cert_pem.write_to_path(str(file))
    return Authority(file, ca.issue_cert("127.0.0.1", "localhost"))
