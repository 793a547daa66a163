"""What a failing connection proves: nothing was sent, or nobody knows. A mistake here is a second document."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from connectors.conta_azul.access import access
from connectors.conta_azul.transport import Request, Transport
from connectors.qualy.access import Access as QualyAccess
from connectors.qualy.reading import Reading
from connectors.qualy.transport import Transport as QualyTransport
from connectors.qualy.writing import Call, Fate, QualyWriter
from connectors.shared.network import send_once
from qualy_sync.contracts.accounting import Endpoint, NotSent, Unanswered
from qualy_sync.contracts.errors import AnswerLost, Refused, Unreachable

Caller = Callable[[str, str | None], Any]
BODY = b'{"valor": 1}'


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key behind it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stand-in")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return path


class Secure:
    """A server that reads one whole request over TLS, and then breaks the encryption instead of answering."""

    def __init__(self, certificate: Path, first: bytes) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._first = first
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._socket.getsockname()[1]}"
        self.received = b""
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        raw, _ = self._socket.accept()
        with raw, socket.socket(fileno=raw.detach()) as plain:
            try:
                secure = self._context.wrap_socket(plain, server_side=True)
            except OSError:
                return  # the client does not trust the certificate
            while not self.received.endswith(BODY):
                self.received += secure.recv(65_536)
            secure.sendall(self._first)
            broken = socket.socket(fileno=secure.detach())
            broken.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))  # a record of data that nobody encrypted
            broken.close()

    def end(self) -> None:
        self._thread.join(timeout=5)
        self._socket.close()


def by_pool(url: str, trusted: str | None) -> Any:
    pool = urllib3.PoolManager(retries=False, ca_certs=trusted)
    return send_once(pool, "Example", "POST /v1", ("POST", f"{url}/v1"), BODY, {}, (5, 5), 10)


def by_session(url: str, trusted: str | None) -> Any:
    session = requests.Session()
    session.verify = trusted or True
    extra = {"token_url": f"{url}/oauth/token", "authorize_url": f"{url}/oauth/authorize"}
    transport = Transport(access(Endpoint(url, extra, "app", "secret")), session, 5)
    return transport.call("token", Request("POST", "/v1/x", (), BODY))


def by_qualy(url: str, trusted: str | None) -> Fate:
    session = requests.Session()
    session.verify = trusted or True
    transport = QualyTransport(QualyAccess(url, "tenant", {}), session, Reading(), None)
    return QualyWriter(transport, Call("POST", "/people"), Call("PUT", "/people/{id}")).create({"valor": 1})


CALLS = pytest.mark.parametrize("call", [by_pool, by_session])


@pytest.fixture
def secure(certificate: Path, request: pytest.FixtureRequest) -> Iterator[Secure]:
    server = Secure(certificate, getattr(request, "param", b""))
    yield server
    server.end()


@CALLS
@pytest.mark.parametrize(
    "secure", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{"], indirect=True, ids=["before", "within"]
)
def test_tls_that_breaks_after_the_request_leaves_its_fate_open(
    call: Caller, secure: Secure, certificate: Path
) -> None:
    with pytest.raises(AnswerLost):
        call(secure.url, str(certificate))
    assert secure.received.endswith(BODY)


@CALLS
def test_whose_certificate_is_not_trusted_was_sent_nothing(call: Caller, secure: Secure) -> None:
    with pytest.raises(Unreachable, match="certificate"):
        call(secure.url, None)
    assert secure.received == b""


@CALLS
def test_where_nobody_listens_nothing_was_sent(call: Caller) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(Unreachable, match="No connection"):
        call(url, None)


def test_qualy_is_told_apart_in_the_same_way(secure: Secure, certificate: Path) -> None:
    assert isinstance(by_qualy(secure.url, str(certificate)), Unanswered)
    assert secure.received.endswith(BODY)


def test_what_never_left_for_qualy_is_known_to_have_stayed(secure: Secure) -> None:
    distrusted = by_qualy(secure.url, None)
    assert isinstance(distrusted, NotSent)
    assert isinstance(distrusted.error, Refused)
    assert secure.received == b""
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    nobody = by_qualy(url, None)
    assert isinstance(nobody, NotSent)
    assert isinstance(nobody.error, Unreachable)
