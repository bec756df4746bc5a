"""A proxy before a ClearML server that counts the requests of whoever is given its address."""

from __future__ import annotations

import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import urllib3

#: Of one connection alone; urllib3 and the server below write them themselves.
_OWN: Final = {"connection", "transfer-encoding", "content-length", "date", "server", "keep-alive"}


class CountingProxy:
    """Passes requests on, unchanged; use it as a context manager."""

    def __init__(self, target: str) -> None:
        self._counts, self._lock = Counter[str](), threading.Lock()
        self._pool = urllib3.PoolManager(maxsize=16)
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _pass_on(self) -> None:
                with proxy._lock:
                    proxy._counts[self.path.rpartition("/")[2].partition("?")[0]] += 1
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name: value for name, value in self.headers.items() if name.lower() not in _OWN}
                answer = proxy._pool.request(
                    self.command, target + self.path, body=body, headers=headers, decode_content=False, redirect=False
                )
                self.send_response_only(answer.status)
                for name, value in answer.headers.items():
                    if name.lower() not in _OWN - {"date"}:
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.data)))
                self.end_headers()
                self.wfile.write(answer.data)

            do_GET = do_POST = do_PUT = _pass_on  # noqa: N815 - names that http.server asks for

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def counts(self) -> Counter[str]:
        """Requests by endpoint, so far."""
        with self._lock:
            return Counter(self._counts)

    def __enter__(self) -> CountingProxy:
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._pool.clear()
