"""The server of `gbvis view`: pages and runs for a browser of this machine, which has been told the address."""

import errno
import json
import os
import secrets
import socketserver
import sys
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from gbvis.errors import GbvisError, NothingFound, UsageError
from gbvis.version import __version__

Answer = tuple[str, bytes]
"""The content's type, and the content."""

Route = Callable[[Mapping[str, list[str]]], Answer]
"""Answers a request, given the values of its query by their names.

Raises:
    GbvisError: It cannot.
"""

_HOST = "127.0.0.1"

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}

_MOST_VALUES = 1000
"""In the query of one request."""

_NO_POLICY = "default-src 'none'"
"""The policy of an answer that is no page."""


class PageServer(ThreadingHTTPServer):
    """Answers requests to `http://127.0.0.1:PORT/TOKEN/`, and refuses all others.

    The token keeps other users of the machine out; names other than these two in `Host` would be another site's that
    leads a browser here.
    """

    daemon_threads = True
    request_queue_size = 64
    allow_reuse_address = os.name == "posix"  # elsewhere it would share a port with another program

    def __init__(self, routes: Mapping[str, Route], policy: str, port: int) -> None:
        """Take a port; requests wait until `serve_forever`.

        Args:
            routes: What answers requests, by what follows the token; the page itself has an empty name.
            policy: The page's Content-Security-Policy.
            port: 0 takes any that is free.

        Raises:
            UsageError: The port is taken, or may not be used.
        """
        self.routes, self.token = routes, secrets.token_urlsafe(24)
        self.policy = f"{policy}; frame-ancestors 'none'"
        try:
            super().__init__((_HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            is_taken = getattr(error, "errno", None) == errno.EADDRINUSE
            why = "another program has it" if is_taken else getattr(error, "strerror", None) or str(error)
            raise UsageError(f"cannot use port {port}: {why}", "leave --port out, or choose another one") from error

    def server_bind(self) -> None:
        """Take the port, without looking for the machine's name in the network."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = _HOST, self.server_address[1]

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://{_HOST}:{self.server_port}/{self.token}/"

    @property
    def hosts(self) -> set[str]:
        """What a request may have in `Host`."""
        names = {_HOST, "localhost"}
        return {f"{name}:{self.server_port}" for name in names} | (names if self.server_port == 80 else set())

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that has gone away; anything else is a bug, and its traceback is printed."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    server: PageServer
    protocol_version = "HTTP/1.1"
    timeout = 60  # seconds that a connection may be silent
    disable_nagle_algorithm = True

    def parse_request(self) -> bool:
        """Read a request, and answer at once what is refused, whatever its method; return whether it goes on."""
        if not super().parse_request():
            return False
        if self.command not in ("GET", "HEAD"):
            self.send_error(HTTPStatus.METHOD_NOT_ALLOWED, "this address is read with GET alone")
        elif self.headers.get_all("Host", []) not in [[host] for host in self.server.hosts]:
            self.send_error(HTTPStatus.FORBIDDEN, "this address goes by another name")
        elif "Content-Length" in self.headers or "Transfer-Encoding" in self.headers:
            self.send_error(HTTPStatus.BAD_REQUEST, "a request has no content here")
        else:
            return True
        return False

    def do_GET(self) -> None:
        """Answer."""
        path, _, query = self.path.partition("?")
        _, token, name = [*path.split("/", 2), "", ""][:3]
        is_known = secrets.compare_digest(token.encode(), self.server.token.encode()) and path.count("/") > 1
        route = self.server.routes.get(name) if is_known else None
        if route is None:
            self._send_problem(HTTPStatus.NOT_FOUND, "there is no such page", "use the address that gbvis view printed")
            return
        try:
            kind, content = route(_read_query(query))
        except GbvisError as error:
            self._send_problem(_status_of(error), error.problem, error.hint)
        else:
            self._send(HTTPStatus.OK, kind, content)

    def do_HEAD(self) -> None:
        """Answer without the content."""
        self.do_GET()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse a request, and end the connection: what follows may belong to it."""
        self.close_connection = True
        problem = message or HTTPStatus(code).phrase
        self._send_problem(HTTPStatus(code), problem, "use the address that gbvis view printed, in a browser")

    def _send_problem(self, status: HTTPStatus, problem: str, hint: str) -> None:
        content = json.dumps({"problem": problem, "hint": hint}).encode()
        self._send(status, "application/json", content)

    def _send(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        policy = self.server.policy if kind.startswith("text/html") else _NO_POLICY
        about = {"Content-Type": kind, "Content-Length": str(len(content)), "Content-Security-Policy": policy}
        for name, value in {**about, **_HEADERS}.items():
            self.send_header(name, value)
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def version_string(self) -> str:
        """Return what answers say of this program."""
        return f"gbvis/{__version__}"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def _status_of(error: GbvisError) -> HTTPStatus:
    if isinstance(error, NothingFound):
        return HTTPStatus.NOT_FOUND
    return HTTPStatus.BAD_REQUEST if isinstance(error, UsageError) else HTTPStatus.INTERNAL_SERVER_ERROR


def _read_query(query: str) -> dict[str, list[str]]:
    """Return the values of a query by their names.

    Raises:
        UsageError: There are too many.
    """
    try:
        return parse_qs(query, max_num_fields=_MOST_VALUES)
    except ValueError as error:
        raise UsageError(f"more than {_MOST_VALUES} values in one request", "ask for fewer runs at once") from error
