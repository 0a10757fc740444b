"""One driver per run on an object store: an object that its holder creates or exchanges conditionally, and
renews as a sign of life.

A driver that has given no sign for `EXPIRY` seconds, by the store's clock, has lost the run to the next one
that asks. Taking it over is conditional on the object still being as it was read, so one of two wins. A
driver that was killed on this machine is found out at once, by its process.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import threading
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

from learnact.errors import ResultsError, StoreUnavailable
from learnact.results.location import BucketLocation
from learnact.results.storage.bucket import Bucket, ObjectConflict

BEAT = 5.0
"""Seconds between signs of life."""
EXPIRY = 30.0
"""Seconds without a sign of life after which a driver counts as dead."""
POLL = 0.5
_WRONG_TAG = '"00000000000000000000000000000000"'
_let_go: set[str] = set()
"""Owners of locks that this process has let go of; the store may not have heard of it."""
_log = logging.getLogger("learnact.results")


@dataclass(frozen=True)
class LockHolder:
    """Who drives a run. `owner` is empty when it was released; `machine` and `started` tell a process from
    others of the same number: they are empty where the system does not say."""

    owner: str
    pid: int = 0
    host: str = ""
    machine: str = ""
    started: str = ""
    since: float = 0.0

    @property
    def shown(self) -> str:
        """For people."""
        since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(self.since))
        return f"process {self.pid} on {self.host}, since {since}"

    def content(self) -> bytes:
        """As the lock's object holds it."""
        return json.dumps({**asdict(self), "renewed": time.time()}).encode()


def _holder(content: bytes) -> LockHolder:
    try:
        data = json.loads(content)
        known = {name: data[name] for name in LockHolder.__dataclass_fields__ if name in data}
        return LockHolder(**{"owner": "unknown", **known})
    except (ValueError, TypeError):
        return LockHolder("unknown")


def _me() -> LockHolder:
    return LockHolder(
        owner=uuid.uuid4().hex,
        pid=os.getpid(),
        host=socket.gethostname(),
        machine=_machine(),
        started=_started(os.getpid()),
        since=time.time(),
    )


def _machine() -> str:
    """This boot of this machine, and the space in which its processes are numbered."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When a process of this machine began (clock ticks since boot); empty where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


class ObjectLock:
    """Implements `RunLock`. Renews itself in a thread until it is released, or another driver has taken the
    run."""

    def __init__(self, bucket: Bucket, place: BucketLocation) -> None:
        self._bucket, self._place = bucket, place
        self._me = _me()
        self._lost = ""
        self._tag = self._acquire()
        self._check_conditions()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name=f"lock of {place.parent.name}", daemon=True)
        self._thread.start()

    @property
    def held(self) -> bool:
        """Whether the run is still ours."""
        return not self._ended.is_set() and not self._lost

    @property
    def lost_to(self) -> str:
        """Who has taken the run over."""
        return self._lost

    def release(self) -> None:
        """Let the next driver in."""
        if self._ended.is_set():
            return
        self._ended.set()
        self._thread.join()
        _let_go.add(self._me.owner)
        if not self._lost:
            with contextlib.suppress(OSError, ResultsError, ObjectConflict):  # it then expires
                self._bucket.put(self._place.key, LockHolder("").content(), tag=self._tag)

    def _acquire(self) -> str:
        looked: tuple[str, float] | None = None  # the tag that was met first, and when
        while True:
            with contextlib.suppress(ObjectConflict):
                return self._bucket.put(self._place.key, self._me.content(), new=True)
            try:
                found = self._bucket.get(self._place.key)
            except FileNotFoundError:
                continue
            holder = _holder(found.content)
            if holder.owner == self._me.owner:  # written by a try whose answer was lost
                return found.tag
            if holder.owner and not self._is_dead(holder):
                if looked and looked[0] != found.tag:
                    raise self._taken(holder)
                waited = time.monotonic() - looked[1] if looked else 0.0
                quiet = max(found.now - found.changed, waited)
                if quiet < EXPIRY:
                    if looked is None:
                        looked = (found.tag, time.monotonic())
                        self._tell(holder, EXPIRY - quiet)
                    time.sleep(POLL)
                    continue
            try:
                return self._bucket.put(self._place.key, self._me.content(), tag=found.tag)
            except ObjectConflict:
                looked = None

    def _tell(self, holder: LockHolder, seconds: float) -> None:
        run, who = self._place.parent, holder.shown
        _log.warning("%s is held by %s; waiting up to %d s for a sign of life", run, who, seconds + 1)

    def _is_dead(self, holder: LockHolder) -> bool:
        """Whether the holder was this process before, or one of this machine that has ended. Raises
        `ResultsError` for one that has not."""
        if holder.owner in _let_go:
            return True
        if not holder.machine or holder.machine != self._me.machine:
            return False
        if _started(holder.pid) == holder.started:
            raise self._taken(holder)
        return True

    def _taken(self, holder: LockHolder) -> ResultsError:
        return ResultsError(
            f"the run in {self._place.parent} is being driven by {holder.shown}; wait until it has ended (or "
            "end it), then run the same command again: it continues"
        )

    def _check_conditions(self) -> None:
        """Refuse a store that ignores the conditions that keep two drivers apart."""
        for condition in ({"new": True}, {"tag": _WRONG_TAG}):
            try:
                self._bucket.put(self._place.key, self._me.content(), **condition)
            except ObjectConflict:
                continue
            raise ResultsError(
                f"the store of {self._place.parent} ignores conditional writes (If-None-Match, If-Match), "
                "which keep two drivers apart; use Amazon S3, or a server that has them"
            )

    def _renew(self) -> None:
        while not self._ended.wait(BEAT):
            with contextlib.suppress(StoreUnavailable, ResultsError):  # tried again at the next beat
                self._beat()
            if self._lost:
                return

    def _beat(self) -> None:
        try:
            self._tag = self._bucket.put(self._place.key, self._me.content(), tag=self._tag)
        except ObjectConflict:
            with contextlib.suppress(FileNotFoundError):
                found = self._bucket.get(self._place.key)
                holder = _holder(found.content)
                if holder.owner == self._me.owner:
                    self._tag = found.tag
                    return
                self._lost = holder.shown if holder.owner else "another driver"
                return
            self._lost = "somebody who has removed its lock"
