"""Servers that speak TLS wrongly: certificates nobody should trust, and a handshake that never ends."""

import datetime as dt
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY: Final = dt.timedelta(days=1)
_HOST: Final = "127.0.0.1"


class Certificate(StrEnum):
    """What is wrong with it."""

    SELF_SIGNED = "self-signed"
    EXPIRED = "expired"
    WRONG_HOST = "wrong-host"
    HANG = "hang"


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _write(folder: Path, kind: Certificate) -> tuple[Path, Path]:
    """The server's chain with its key, and the file of the authority that signed it (another one's, if it signed itself)."""
    now = dt.datetime.now(dt.UTC)  # noqa: TID251 -- a certificate is valid by the wall clock
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = (
        x509.CertificateBuilder(_name("chaos authority"), _name("chaos authority"), authority_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 3 * _DAY)
        .not_valid_after(now + 3 * _DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    is_own = kind is Certificate.SELF_SIGNED
    host = "stream.example" if kind is Certificate.WRONG_HOST else "localhost"
    server = (
        x509.CertificateBuilder(_name(host) if is_own else authority.subject, _name(host), key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 2 * _DAY)
        .not_valid_after(now - _DAY if kind is Certificate.EXPIRED else now + _DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(key if is_own else authority_key, hashes.SHA256())
    )
    chain, authorities = folder / "server.pem", folder / "authority.pem"
    chain.write_bytes(_pem(key) + server.public_bytes(serialization.Encoding.PEM))
    authorities.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    return chain, authorities


@contextmanager
def wss_server(kind: Certificate) -> Iterator[tuple[str, str, list[float]]]:
    """A listener that is wrong in this way: its ``wss://`` address, the file of authorities that a client is to trust, and when
    (monotonic seconds) somebody came.
    """
    with tempfile.TemporaryDirectory(prefix="chaos-tls-") as folder, socket.create_server((_HOST, 0)) as listener:
        chain, authorities = _write(Path(folder), kind)
        over = threading.Event()
        came: list[float] = []
        thread = threading.Thread(target=_serve, args=(listener, kind, chain, over, came), name="wrong TLS", daemon=True)
        thread.start()
        yield f"wss://localhost:{listener.getsockname()[1]}", str(authorities), came
        over.set()
        with suppress(OSError):
            socket.create_connection(listener.getsockname(), timeout=1).close()
        thread.join(5)


def _serve(listener: socket.socket, kind: Certificate, chain: Path, over: threading.Event, came: list[float]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    held: list[socket.socket] = []
    while not over.is_set():
        with suppress(OSError):
            client, _ = listener.accept()
            came.append(time.monotonic())
            client.settimeout(2)
            if kind is Certificate.HANG:
                held.append(client)  # it says nothing
            else:
                with context.wrap_socket(client, server_side=True) as secured:
                    secured.recv(4_096)
    for client in held:
        client.close()
