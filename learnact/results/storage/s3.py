"""Amazon S3, and servers that speak its protocol with conditional writes, through boto3.

Where they are and who we are comes from what Amazon's own tools read: AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_PROFILE and the files of profiles, a machine's role.
None of it is kept.
"""

from __future__ import annotations

import email.utils
import errno
import logging
import os
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_delay,
    wait_random_exponential,
)

from learnact.errors import MissingExtra, ResultsError, StoreUnavailable
from learnact.results.location import S3
from learnact.results.redact import hide, secrets
from learnact.results.storage.bucket import BucketListing, ObjectConflict, StoredObject
from learnact.results.storage.protocol import StoredFile

TRIES = 3
"""Tries of a request that boto3 makes before it is given up or, within `PATIENCE`, made again."""
PATIENCE = 90.0
"""Seconds for which a store that does not answer is asked again, once it has answered."""
CONNECT_SECONDS, READ_SECONDS = 5, 60
CONNECTIONS = 32
DELETED_AT_ONCE = 1000
PIECE = 1 << 20
_log = logging.getLogger("learnact.results")
A = TypeVar("A")
_MISSING = {"NoSuchKey", "404", "NotFound"}
_CONFLICT = {"PreconditionFailed", "412", "ConditionalRequestConflict", "409"}
_BUSY = {
    "SlowDown",
    "ServiceUnavailable",
    "InternalError",
    "RequestTimeout",
    "Throttling",
    "ThrottlingException",
    "TooManyRequests",
    "500",
    "502",
    "503",
    "504",
}
_DENIED = {"AccessDenied", "AllAccessDisabled", "403", "Forbidden"}
_WRONG_KEY = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "InvalidSecurity"}
_ELSEWHERE = {
    "PermanentRedirect",
    "301",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "IncorrectEndpoint",
}


@cache
def bucket_of(name: str) -> S3Bucket:
    """A bucket, once for each process; asked whether it is there.

    Raises `MissingExtra` without boto3, `ResultsError` where the bucket cannot be used as things are set.
    """
    bucket = S3Bucket(name)
    bucket.check()
    return bucket


class S3Bucket:
    """Implements `Bucket`. May be used by several threads."""

    def __init__(self, name: str) -> None:
        try:
            import boto3
            import botocore.config
            import botocore.exceptions
        except ImportError:
            raise MissingExtra(f"results at {S3} need boto3: pip install 'learnact[s3]'") from None
        self._name = name
        self._errors = botocore.exceptions
        config = botocore.config.Config(
            retries={"mode": "standard", "total_max_attempts": TRIES},
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            max_pool_connections=CONNECTIONS,
            user_agent_extra="learnact",
        )
        try:
            self._client: Any = boto3.session.Session().client("s3", config=config)
        except (botocore.exceptions.BotoCoreError, ValueError) as error:
            raise ResultsError(f"{S3}{name}: {_words(error)}; see the settings AWS_*") from None

    def check(self) -> None:
        """Ask for the bucket. Raises `ResultsError` where there is no answer, or a refusal."""
        try:
            self._once(partial(self._client.list_objects_v2, Bucket=self._name, MaxKeys=1), "")
        except StoreUnavailable as error:
            raise ResultsError(
                f"{error}; see that it runs and that AWS_ENDPOINT_URL names it (unset: Amazon's own)"
            ) from None

    def under(self, prefix: str) -> BucketListing:
        """What lies directly under a prefix."""
        files: dict[str, StoredFile] = {}
        folders: list[str] = []
        more: dict[str, str] = {}
        while True:
            ask = partial(self._client.list_objects_v2, Bucket=self._name, Prefix=prefix, Delimiter="/")
            page = self._ask(partial(ask, **more), prefix)
            for found in page.get("Contents", ()):
                if name := found["Key"][len(prefix) :]:
                    changed = found["LastModified"].timestamp()
                    files[name] = StoredFile(found["Size"], changed, found["ETag"])
            folders += [found["Prefix"][len(prefix) : -1] for found in page.get("CommonPrefixes", ())]
            if not page.get("IsTruncated"):
                return BucketListing(files, tuple(folders), _now(page))
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def get(self, key: str) -> StoredObject:
        """An object."""

        def whole() -> StoredObject:
            answer = self._client.get_object(Bucket=self._name, Key=key)
            content = answer["Body"].read()
            return StoredObject(content, answer["ETag"], answer["LastModified"].timestamp(), _now(answer))

        return self._ask(whole, key)

    def download(self, key: str, path: Path) -> None:
        """An object's content into a file."""

        def whole() -> None:
            answer = self._client.get_object(Bucket=self._name, Key=key)
            with path.open("wb") as file:
                for piece in answer["Body"].iter_chunks(PIECE):
                    file.write(piece)

        self._ask(whole, key)

    def put(self, key: str, content: bytes | Path, *, new: bool = False, tag: str | None = None) -> str:
        """Write an object, and return its tag."""
        condition = {"IfNoneMatch": "*"} if new else {"IfMatch": tag} if tag is not None else {}

        def write() -> Any:
            if isinstance(content, bytes):
                return self._client.put_object(Bucket=self._name, Key=key, Body=content, **condition)
            with content.open("rb") as file:
                return self._client.put_object(Bucket=self._name, Key=key, Body=file, **condition)

        return str(self._ask(write, key)["ETag"])

    def delete(self, keys: list[str]) -> None:
        """Delete objects."""
        for start in range(0, len(keys), DELETED_AT_ONCE):
            some = [{"Key": key} for key in keys[start : start + DELETED_AT_ONCE]]
            what = {"Objects": some, "Quiet": True}
            self._ask(partial(self._client.delete_objects, Bucket=self._name, Delete=what), keys[start])

    def copy(self, old: str, new: str) -> None:
        """Copy an object."""
        source = {"Bucket": self._name, "Key": old}
        self._ask(partial(self._client.copy_object, Bucket=self._name, Key=new, CopySource=source), old)

    def _ask(self, request: Callable[[], A], key: str) -> A:
        """The answer; asked for again while the store does not answer, for `PATIENCE` seconds."""
        again = Retrying(
            retry=retry_if_exception_type(StoreUnavailable),
            stop=stop_after_delay(PATIENCE),
            wait=wait_random_exponential(multiplier=0.5, max=5.0),
            before_sleep=self._tell,
            reraise=True,
        )
        answer: A = again(self._once, request, key)
        return answer

    def _tell(self, state: RetryCallState) -> None:
        if state.attempt_number == 2 and state.outcome is not None:
            _log.warning("%s; asked again for up to %d s", state.outcome.exception(), PATIENCE)

    def _once(self, request: Callable[[], A], key: str) -> A:
        try:
            return request()
        except self._errors.ClientError as error:
            raise self._refusal(error, key) from None
        except (self._errors.NoCredentialsError, self._errors.PartialCredentialsError) as error:
            raise ResultsError(
                f"{S3}{self._name}: {_words(error)}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
                "AWS_PROFILE"
            ) from None
        except (self._errors.HTTPClientError, self._errors.ConnectionError, OSError) as error:
            raise StoreUnavailable(
                errno.EIO, f"{self._shown} does not answer ({_words(error)})", f"{S3}{self._name}/{key}"
            ) from None
        except self._errors.BotoCoreError as error:
            raise ResultsError(f"{S3}{self._name}: {_words(error)}; see the settings AWS_*") from None

    def _refusal(self, error: Any, key: str) -> Exception:
        """What an answer that is an error means to us."""
        told = error.response.get("Error", {})
        code = str(told.get("Code", ""))
        status = str(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", ""))
        place, asked = f"{S3}{self._name}/{key}".rstrip("/"), error.operation_name
        said = _words(f"{code}: {told.get('Message', '')}")
        if code in _CONFLICT:
            return ObjectConflict(place)
        if code in _MISSING:
            return FileNotFoundError(errno.ENOENT, "there is no such object", key.rpartition("/")[2])
        if code == "NoSuchBucket":
            return ResultsError(
                f"there is no bucket {self._name!r} at {self._shown}; make it, or name another with --results"
            )
        if code in _DENIED:
            return ResultsError(
                f"{place}: {asked} is not permitted ({said}); learnact needs s3:ListBucket on the bucket, "
                "and s3:GetObject, s3:PutObject and s3:DeleteObject on what lies under the prefix"
            )
        if code in _WRONG_KEY or code.startswith("Expired"):
            return ResultsError(
                f"{self._shown} does not take these credentials ({said}); see AWS_ACCESS_KEY_ID, "
                "AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or AWS_PROFILE"
            )
        if code in _ELSEWHERE:
            return ResultsError(
                f"the bucket {self._name!r} lies in another region ({said}); set AWS_REGION to its region"
            )
        if code == "RequestTimeTooSkewed":
            return ResultsError(f"{place}: {said}; set this machine's clock (NTP)")
        if code in _BUSY or status in _BUSY:
            return StoreUnavailable(errno.EIO, f"{self._shown} is too busy or failing ({said})", place)
        return ResultsError(f"{place}: {asked} failed ({said})")

    @property
    def _shown(self) -> str:
        """The store, for people."""
        return _words(self._client.meta.endpoint_url)


def _now(answer: Any) -> float:
    """The store's clock; this machine's where it does not tell."""
    told = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    try:
        return email.utils.parsedate_to_datetime(told).timestamp()
    except (TypeError, ValueError):
        return time.time()


def _words(error: object) -> str:
    """An error in one line, without credentials."""
    named = tuple(value for name, value in os.environ.items() if name.startswith("AWS_") and "KEY" in name)
    return hide(" ".join(str(error).split())[:300], (*secrets(), *filter(None, named)))
