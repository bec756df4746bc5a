"""The body of an HTTP answer, read within a bound; `clearml_api.limited` bounds its time."""

from __future__ import annotations

from typing import Final, Protocol

#: Read at once, bytes.
_PART: Final = 65_536


class TooMuch(Exception):
    """An answer is larger than its bound."""


class Response(Protocol):
    """What is needed of an answer of urllib3 that was not read yet."""

    def read1(self, amt: int | None = None) -> bytes: ...

    def close(self) -> None: ...

    def release_conn(self) -> None: ...


def read_body(response: Response, *, limit_bytes: int) -> bytes:
    """Read a body to its end and give its connection back.

    Args:
        response: not read yet.
        limit_bytes: the largest body, decompressed.

    Raises:
        TooMuch: it is larger; its connection is closed.
    """
    parts, size = [], 0
    while part := response.read1(_PART):
        parts.append(part)
        size += len(part)
        if size > limit_bytes:
            response.close()
            raise TooMuch(f"the answer is larger than {limit_bytes:,} bytes")
    response.release_conn()
    return b"".join(parts)
