"""Connections on which no answer takes longer than it may, though it comes byte by byte."""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import TYPE_CHECKING, Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class TooSlow(Exception):
    """An answer has not ended in the time that it may take."""


def bound_answers(pools: PoolManager, seconds: float) -> None:
    """Have reading any answer through `pools` raise TooSlow so many seconds after its request.

    A socket's own timeout begins anew with each byte, those of an answer's head and of the lengths
    of its chunks too: so the clock is looked at whenever the socket is read.
    """

    class Answer(http.client.HTTPResponse):
        def __init__(self, sock: socket.socket, *given: Any, **named: Any) -> None:
            super().__init__(sock, *given, **named)
            self.fp = io.BufferedReader(_Timed(self.fp.detach(), time.monotonic() + seconds))

    class Plain(HTTPConnection):
        response_class = Answer

    class Secure(HTTPSConnection):
        response_class = Answer

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    pools.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}


class _Timed(io.RawIOBase):
    """A socket to read from until `time.monotonic` reaches a moment; TooSlow after it."""

    def __init__(self, raw: io.RawIOBase, until: float) -> None:
        self._raw, self._until = raw, until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        if time.monotonic() > self._until:
            raise TooSlow
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
