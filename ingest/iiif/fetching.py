"""HTTP as a good guest: slowly, one request at a time, and never without a bound.

urllib3 does the talking: it is maintained, and Streamlit has it installed already.
"""

from __future__ import annotations

import email.utils
import random
import time
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO
from urllib.parse import urljoin

import urllib3
from urllib3.exceptions import HTTPError, LocationParseError, SSLError
from urllib3.util import Url, parse_url

from ingest.iiif.connections import TooSlow, bound_answers
from ingest.version import program_version
from retrieval.catalogue.errors import ArchiveError, NotGiven, NotGivenNow, Unreachable

#: What is accepted where a manifest, or what an image server offers, is asked for.
JSON_LD = "application/ld+json, application/json;q=0.9, */*;q=0.1"

#: Redirects that are followed for one request.
MAX_REDIRECTS = 5

#: Requests in a row that a host may leave unanswered before it is left alone.
_STRIKES = 2

_PIECE = 1 << 16

_REDIRECT = frozenset({301, 302, 303, 307, 308})
_WAIT_AND_RETRY = frozenset({408, 429, 503})  # the server is busy, whatever it is asked for
_RETRY = frozenset({500, 502, 504})  # this answer failed; another may not

#: What to do about an answer that nobody expected.
LOOK = "Open the address in a browser to see what its server says."


@dataclass(frozen=True)
class Courtesy:
    """How servers are treated; all but `attempts` in seconds.

    `pause` lies between requests to one host. A request that fails for a while is repeated until
    there were `attempts`, after `first_wait`, twice that, and so on, or after what the server
    asks for, up to `longest_wait`. `connect`, `read` (between bytes) and `whole` bound an answer.
    """

    pause: float = 0.1
    attempts: int = 5
    first_wait: float = 1.0
    longest_wait: float = 120.0
    connect: float = 15.0
    read: float = 60.0
    whole: float = 900.0


@dataclass(frozen=True)
class _Answer:
    """A server's answer: its status, None where there is none, and `what` that is in words.

    `further`: where else to ask; `wait`: the seconds that the server asks to wait for.
    """

    status: int | None
    what: str
    further: str | None = None
    wait: float | None = None


class Web:
    """What is fetched in one run: connections, and how each host has behaved."""

    def __init__(self, courtesy: Courtesy) -> None:
        self._courtesy = courtesy
        self._pools: dict[str | None, urllib3.PoolManager] = {}
        self._asked: dict[str, float] = {}
        self._strikes: dict[str, int] = {}
        self._left_alone: dict[str, str] = {}

    def close(self) -> None:
        """Let go of the connections."""
        for pool in self._pools.values():
            pool.clear()

    def fetch(self, address: str, into: BinaryIO, *, limit: int, accept: str = "*/*") -> str:
        """Put what lies at `address` into `into`, an empty file; return its address in the end.

        At most `limit` bytes are taken. No credentials are sent, and cookies neither. Raises
        NotGiven when the server does not give it, or it is not to be asked; NotGivenNow when it
        fails to after several attempts, or takes too long; Unreachable when the server gives no
        answer after several attempts, or asks to be left alone; ArchiveError when `into` cannot
        be written to.
        """
        at, redirects, attempt = _checked(address), 0, 0
        while True:
            answer = self._ask(at, into, limit, accept)
            if answer.status == 200:
                return at.url
            if answer.status in _REDIRECT and answer.further:
                redirects += 1
                if redirects > MAX_REDIRECTS:
                    raise NotGiven(
                        f"{address} was redirected more than {MAX_REDIRECTS} times.", LOOK
                    )
                at = _redirected(at, answer.further)
                continue
            attempt += 1
            time.sleep(self._wait_after(answer, at, attempt))

    def _wait_after(self, answer: _Answer, at: Url, attempt: int) -> float:
        """Return the seconds to wait before an address that gave this answer is asked again.

        Raises NotGiven, NotGivenNow or Unreachable where it is not to be asked, as in `fetch`.
        """
        host = at.netloc or ""
        if answer.status is not None and answer.status not in _WAIT_AND_RETRY | _RETRY:
            self._strikes.pop(host, None)
            raise NotGiven(answer.what, LOOK)
        asked = answer.wait or 0.0
        if asked > self._courtesy.longest_wait:
            raise self._leave_alone(host, f"{host} asks clients to wait {asked / 60:,.0f} minutes.")
        if attempt >= self._courtesy.attempts:
            if answer.status in _RETRY:
                raise NotGivenNow(answer.what, "Ingest it again later.")
            raise self._struck(host, answer.what)
        backoff: float = self._courtesy.first_wait * 2 ** (attempt - 1) * random.uniform(1, 1.25)
        return min(self._courtesy.longest_wait, max(backoff, asked))

    def _ask(self, at: Url, into: BinaryIO, limit: int, accept: str) -> _Answer:
        """Ask once for what lies at an address, when it is the host's turn; put it into `into`."""
        host = at.netloc or ""
        if host in self._left_alone:
            raise self._leave_alone(host, self._left_alone[host])
        self._take_turn(host)
        into.seek(0)
        into.truncate()
        try:
            response = self._pool(at).request(
                "GET",
                at.url,
                headers={
                    "User-Agent": f"prizemarks/{program_version()}",
                    "Accept": accept,
                    "Accept-Encoding": "identity",
                },
                timeout=urllib3.Timeout(self._courtesy.connect, self._courtesy.read),
                retries=False,
                redirect=False,
                preload_content=False,
            )
            try:
                if response.status == 200:
                    self._take(response, into, at.url, limit)
                    self._strikes.pop(host, None)
                return _Answer(
                    response.status,
                    f"{at.url} answered {response.status}{_in_words(response.reason)}.",
                    further=response.headers.get("Location"),
                    wait=_retry_after(response.headers.get("Retry-After")),
                )
            finally:
                # What is left of a body is not waited for: its connection goes with it.
                response.close()
                response.release_conn()
        except TooSlow:
            raise NotGivenNow(
                f"{at.url} took more than {self._courtesy.whole / 60:.0f} minutes.",
                "Ingest it again later, or download it and ingest the file.",
            ) from None
        except SSLError as error:
            raise self._leave_alone(host, f"{host} has no valid certificate: {error}") from None
        except (HTTPError, OSError, UnicodeError) as error:
            return _Answer(None, f"{at.url} did not answer ({_short(error)}).")

    def _take(
        self, response: urllib3.BaseHTTPResponse, into: BinaryIO, address: str, limit: int
    ) -> None:
        taken = 0
        for piece in response.stream(_PIECE, decode_content=True):
            taken += len(piece)
            if taken > limit:
                raise NotGiven(
                    f"{address} is larger than {limit:,} bytes.",
                    "Download it, and ingest the file.",
                )
            try:
                into.write(piece)
            except OSError as error:  # the disk's, and no fault of the server
                raise ArchiveError(
                    f"The response of {address} cannot be saved: {error.strerror or error}. Free "
                    "some space in the archive and ingest again: it continues where it stopped."
                ) from error

    def _take_turn(self, host: str) -> None:
        """Wait until the host may be asked again."""
        before = self._asked.get(host)
        if before is not None:
            time.sleep(max(0.0, before + self._courtesy.pause - time.monotonic()))
        self._asked[host] = time.monotonic()

    def _struck(self, host: str, what: str) -> Unreachable:
        self._strikes[host] = self._strikes.get(host, 0) + 1
        if self._strikes[host] >= _STRIKES:
            return self._leave_alone(host, what)
        return Unreachable(what, "Ingest it again later.")

    def _leave_alone(self, host: str, why: str) -> Unreachable:
        self._left_alone[host] = why
        return Unreachable(why, "Ingest it again later: images already fetched are kept.")

    def _pool(self, at: Url) -> urllib3.PoolManager:
        proxy = urllib.request.getproxies().get(at.scheme or "")
        if proxy and at.host and urllib.request.proxy_bypass(at.host):
            proxy = None
        if proxy not in self._pools:
            self._pools[proxy] = urllib3.ProxyManager(proxy) if proxy else urllib3.PoolManager()
            bound_answers(self._pools[proxy], self._courtesy.whole)
        return self._pools[proxy]


def _checked(address: str) -> Url:
    """Return the parts of an address that may be asked."""
    try:
        at = parse_url(address)
    except LocationParseError:
        raise NotGiven(f"{address!r} is not a URL.", "Correct it in the manifest.") from None
    if at.scheme not in ("http", "https") or not at.host:
        raise NotGiven(
            f"{address!r} is not an http or https URL.",
            "Download the file, and ingest it.",
        )
    if at.auth:
        raise NotGiven(
            f"The address at {at.host} contains a user name or password, which are not sent.",
            "Give the address without them.",
        )
    return at._replace(fragment=None)


def _redirected(at: Url, further: str) -> Url:
    """Return where a server redirects to, which may be said in relation to `at`."""
    try:
        return _checked(urljoin(at.url, further))
    except ValueError:  # such as an IPv6 host without its bracket
        raise NotGiven(
            f"{at.url} was redirected to {further!r}, which is not a URL.", LOOK
        ) from None


def _retry_after(said: str | None) -> float | None:
    """Return the seconds that a server asks to wait for; None where it says nothing."""
    if not said:
        return None
    if said.strip().isdecimal():
        return float(said.strip()[:9])
    try:
        moment = email.utils.parsedate_to_datetime(said)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _in_words(reason: str | None) -> str:
    words = " ".join((reason or "").split())[:60]
    return f" ({words})" if words else ""


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def is_address(source: object) -> bool:
    """Return whether a source is an address on the web and not a path."""
    return isinstance(source, str) and source.lower().startswith(("http://", "https://"))
