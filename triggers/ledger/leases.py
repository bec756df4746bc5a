"""Leases: ownership with an expiry by Redis' own clock and a fencing token in every write."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from triggers.base import progress
from triggers.base.errors import Fenced, Transient
from triggers.base.logs import logger
from triggers.ledger.keys import Keys
from triggers.ledger.store import Script, Store

ACQUIRE, RENEW, RELEASE = Script("lease_acquire"), Script("lease_renew"), Script("lease_release")

log = logger(__name__)


def nonce() -> str:
    """The random part of a token: two tokens never collide, even if Redis forgot its counter."""
    return secrets.token_hex(6)


def acquire(store: Store, keys: Keys, name: str, seconds: float) -> str | None:
    """Take the lease if it is free; the token, or None. Never blocks."""
    token = store.run(ACQUIRE, [keys.lease(name), keys.fence], int(seconds * 1000), nonce())
    return str(token) if token else None


def renew(store: Store, keys: Keys, name: str, token: str, seconds: float) -> bool:
    """Extend a lease that is still ours; False when it was lost."""
    return bool(store.run(RENEW, [keys.lease(name)], int(seconds * 1000), token))


def release(store: Store, keys: Keys, name: str, token: str) -> bool:
    """Give a lease back; harmless when it was lost before."""
    return bool(store.run(RELEASE, [keys.lease(name)], token))


@contextmanager
def renewing(every_seconds: float, extend: Callable[[], None]) -> Iterator[None]:
    """Call `extend` every so often in a thread while the body runs and gets somewhere (`triggers.base.progress`).

    A body that hangs is renewed no more: its lease expires, and others go on. Where it comes to life again, it is
    renewed again, if nobody has taken its place. A lost lease ends the renewing quietly: every write of the body is
    fenced by its token anyway.
    """
    stop, hung = threading.Event(), False

    def keep(body: progress.Watched) -> None:
        nonlocal hung
        while not stop.wait(every_seconds):
            if body.hangs:
                if not hung:
                    log.error("%s makes no progress: its lease is not renewed, and another worker takes over", name)
                hung = True
                continue
            hung = False
            try:
                extend()
            except Fenced as loss:
                log.warning("lost a lease: %s", loss)
                return
            except Transient as failure:
                log.warning("could not renew a lease; retrying: %s", failure)
            except Exception:  # a thread that ends here would let the lease expire while the body works
                log.exception("could not renew a lease; retrying")

    name = f"thread {threading.current_thread().name}"
    with progress.watch() as body:
        thread = threading.Thread(target=keep, args=[body], name="lease-keeper", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


@contextmanager
def held(store: Store, keys: Keys, name: str, seconds: float) -> Iterator[str | None]:
    """Hold a lease while the body runs; yields None when another has it."""
    token = acquire(store, keys, name, seconds)
    if token is None:
        yield None
        return
    held_token = token

    def extend() -> None:
        if not renew(store, keys, name, held_token, seconds):
            raise Fenced(f"the lease {name} was taken by another")

    try:
        with renewing(seconds / 3, extend):
            yield token
    finally:
        try:
            release(store, keys, name, token)
        except (Fenced, Transient) as failure:
            log.warning("could not release the lease %s, which expires by itself: %s", name, failure)
