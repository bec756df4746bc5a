"""Who may see and who may change: accounts, sessions, one-time links, tokens of forms. The clock is passed in."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Literal

from itsdangerous import BadSignature, URLSafeSerializer
from starlette.datastructures import Headers

from triggers.base.errors import Usage
from triggers.base.meant import meant
from triggers.console import passwords

AccountRole = Literal["reader", "operator"]
ROLES: Final[tuple[AccountRole, ...]] = ("reader", "operator")

#: How a person got in.
Way = Literal["link", "account", "proxy"]

#: How long a session lasts without logging in again, seconds.
SESSION_SECONDS: Final = 12 * 3600.0
#: How far the clocks of two consoles may be apart, seconds.
CLOCKS_APART: Final = 60.0
#: How long a link that was printed can be used, seconds.
LINK_SECONDS: Final = 600.0


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks. `session` tells two log-ins of one person apart."""

    name: str
    role: AccountRole
    way: Way
    session: str = ""

    @property
    def may_change(self) -> bool:
        """Whether the person may do more than look."""
        return self.role == "operator"


@dataclass(frozen=True, slots=True)
class Account:
    """One of `TRIGGERS_CONSOLE_USERS`."""

    name: str
    role: AccountRole
    hash: str = field(repr=False)


def accounts(entries: Iterable[str]) -> dict[str, Account]:
    """Read accounts written as NAME:ROLE:HASH.

    Raises:
        Usage: names the wrong account and what to write instead, without its hash.
    """
    found: dict[str, Account] = {}
    for entry in entries:
        name, _, rest = entry.partition(":")
        role, _, hash_ = rest.partition(":")
        way_out = "write NAME:ROLE:HASH, with the hash that `clearml-triggers console --hash` prints"
        if not name or role not in ROLES:
            roles = f"{' or '.join(ROLES)}{meant(role, ROLES)}"
            raise Usage(f"TRIGGERS_CONSOLE_USERS, account {name!r}: the role is {roles}; {way_out}")
        if name in found:
            raise Usage(f"TRIGGERS_CONSOLE_USERS names {name!r} twice: leave one of them out")
        try:
            passwords.parsed(hash_)
        except ValueError as error:
            raise Usage(f"TRIGGERS_CONSOLE_USERS, account {name!r}: {error}; {way_out}") from error
        found[name] = Account(name, role, hash_)
    return found


@dataclass(frozen=True, slots=True)
class Proxy:
    """A header that says who asks, believed from these networks only. Those not among `operators` only look."""

    header: str = ""
    networks: tuple[str, ...] = ()
    operators: frozenset[str] = frozenset()

    @classmethod
    def of(cls, header: str, networks: Iterable[str], operators: Iterable[str]) -> Proxy:
        """Put one together from the settings.

        Raises:
            Usage: a header without networks would be believed from anyone; or something is not an address.
        """
        networks = tuple(networks)
        if header and not networks:
            raise Usage(
                "TRIGGERS_CONSOLE_PROXY_HEADER is believed from the addresses of TRIGGERS_CONSOLE_PROXY_ADDRESSES "
                "only: name those of the proxy"
            )
        for network in networks:
            try:
                ipaddress.ip_network(network, strict=False)
            except ValueError as error:
                raise Usage(f"TRIGGERS_CONSOLE_PROXY_ADDRESSES: {network!r} is not an address or network") from error
        return cls(header.lower(), networks, frozenset(operators))

    def person(self, headers: Headers, client: str) -> Person | None:
        """The person whom the proxy names; None where it names none or several, or somebody else sent the header."""
        names = headers.getlist(self.header) if self.header else []
        name = names[0].strip() if len(names) == 1 else ""  # a second one was sent by the person
        if not name or len(name) > 200 or not self._is_proxy(client):
            return None
        return Person(name, "operator" if name in self.operators else "reader", "proxy", "proxy")

    def client(self, headers: Headers, client: str) -> str:
        """The address that asks: the last one in front of the proxies, where a proxy says."""
        hops = [hop.strip() for text in headers.getlist("x-forwarded-for") for hop in text.split(",")]
        while hops and self._is_proxy(client):
            client = hops.pop()[:100]
        return client

    def is_secure(self, headers: Headers, client: str) -> bool:
        """Whether the person's browser speaks TLS with the proxy."""
        return self._is_proxy(client) and headers.get("x-forwarded-proto", "").strip().lower() == "https"

    def _is_proxy(self, client: str) -> bool:
        try:
            address = ipaddress.ip_address(client)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in ipaddress.ip_network(network, strict=False) for network in self.networks)


class Links:
    """One-time links, each good for one log-in."""

    def __init__(self) -> None:
        self._open: dict[str, float] = {}

    def new(self, now: float) -> str:
        """Make the token of another link."""
        token = secrets.token_urlsafe(24)
        self._open = {known: until for known, until in self._open.items() if until > now}
        self._open[token] = now + LINK_SECONDS
        return token

    def use(self, token: str, now: float) -> bool:
        """Use a link up; False for one that was used, is too old or was never made."""
        return self._open.pop(token, 0.0) > now


class Sessions:
    """Sessions as signed cookies: nothing is stored but those that ended (`ended`), and a restart keeps the rest."""

    def __init__(self, key: bytes, known: Mapping[str, Account]) -> None:
        self._signer = URLSafeSerializer(key, salt="session", signer_kwargs={"digest_method": sha256})
        self._sayer = URLSafeSerializer(key, salt="said", signer_kwargs={"digest_method": sha256})
        self._key, self.accounts = key, known

    def begin(self, name: str, role: AccountRole, way: Way, now: float) -> str:
        """Make the cookie of a new session."""
        kept = self._of_account(name) if way == "account" else ""
        return str(self._signer.dumps([name, role, way, secrets.token_urlsafe(9), int(now), kept]))

    def _of_account(self, name: str) -> str:
        """What changes with the password of an account, and says nothing about it."""
        account = self.accounts.get(name)
        return hmac.new(self._key, b"account\0" + account.hash.encode(), sha256).hexdigest()[:16] if account else ""

    def person(self, cookie: str, now: float) -> Person | None:
        """Whose cookie it is; None for one that is forged, too old, or of an account that is gone or has changed."""
        try:
            name, role, way, session, begun, kept = self._signer.loads(cookie)
        except (BadSignature, ValueError, TypeError):
            return None
        if not begun - CLOCKS_APART <= now <= begun + SESSION_SECONDS:
            return None
        if way == "account":
            account = self.accounts.get(name)
            if account is None or account.role != role or kept != self._of_account(name):
                return None
        elif self.accounts:  # links are for a console without accounts
            return None
        return Person(name, role, way, session)

    def said(self, words: str) -> str:
        """A sentence for the next page, as a cookie."""
        return str(self._sayer.dumps(words[:1000]))

    def told(self, cookie: str) -> str:
        """The sentence of such a cookie, "" without one."""
        try:
            return str(self._sayer.loads(cookie)) if cookie else ""
        except BadSignature:
            return ""

    def log_in(self, name: str, password: str) -> Account | None:
        """The account with that name and password. Takes as long for a name that does not exist."""
        account = self.accounts.get(name)
        hash_ = account.hash if account else _NOBODY
        return account if passwords.check(password, hash_) and account else None

    def form_token(self, person: Person) -> str:
        """What a form has to send along, so that no other site can send it."""
        text = "\0".join((person.session, person.name, person.way))
        return hmac.new(self._key, b"form\0" + text.encode(), sha256).hexdigest()

    def is_form_token(self, person: Person, token: str) -> bool:
        """Whether a form was written for this session."""
        return hmac.compare_digest(self.form_token(person).encode(), token.encode())


_NOBODY: Final = passwords.hashed(secrets.token_urlsafe(16))


class Attempts:
    """How often log-ins failed, by address and by name; the more, the longer until the next is looked at."""

    #: Failures without a wait, the first wait and the longest, seconds.
    FREE, FIRST, LONGEST = 5, 2.0, 300.0
    _MOST = 10_000

    def __init__(self) -> None:
        self._failed: dict[str, tuple[int, float]] = {}

    def wait(self, whose: Iterable[str], now: float) -> float:
        """Seconds until another attempt is looked at, 0 for at once."""
        return max((self._failed[one][1] - now for one in whose if one in self._failed), default=0.0)

    def failed(self, whose: Iterable[str], now: float) -> None:
        """Note a failure."""
        if len(self._failed) > self._MOST:  # somebody tries names in turn: those that wait stay
            self._failed = {one: known for one, known in self._failed.items() if known[1] > now}
        for one in whose:
            count = self._failed.get(one, (0, 0.0))[0] + 1
            wait = min(self.FIRST * 2 ** (count - self.FREE), self.LONGEST) if count >= self.FREE else 0.0
            self._failed[one] = (count, now + wait)

    def succeeded(self, whose: Iterable[str]) -> None:
        """Forget the failures of who got in."""
        for one in whose:
            self._failed.pop(one, None)
