"""What an earlier commit left names no folder of the machine on which it was made, also where it is packed."""

from __future__ import annotations

import base64
import io
import json
import re
import tarfile
from collections.abc import Iterator

import pytest
import redis

from tests.integration.upgrade.conftest import LEFT

#: A file or folder by its whole path, but for the place that stands for all.
PATH = re.compile(rb"(?<![\w.:/<])/(?!place\b)(?:work|root|home|tmp|opt|Users|var|srv|usr)/[\w./-]+")


def texts(client: redis.Redis) -> Iterator[tuple[str, bytes]]:
    """Each file as it is, and what is packed in it."""
    for file in LEFT.iterdir():
        yield file.name, file.read_bytes()
    packed = base64.b64decode((LEFT / "folder.tar.gz.base64").read_text())
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        for member in tar.getmembers():
            opened = tar.extractfile(member)
            if opened is not None:
                yield member.name, opened.read()
    for key, (_, dump) in json.loads((LEFT / "redis.json").read_text()).items():
        client.restore("one", 0, base64.b64decode(dump), replace=True)
        yield key, content(client)


def content(client: redis.Redis) -> bytes:
    """The value of the key that was restored; a dump is compressed."""
    kind = client.type("one")
    read = {
        "string": lambda: client.get("one"),
        "hash": lambda: client.hgetall("one"),
        "list": lambda: client.lrange("one", 0, -1),
        "set": lambda: client.smembers("one"),
        "zset": lambda: client.zrange("one", 0, -1),
        "stream": lambda: client.xrange("one"),
    }[str(kind)]
    return repr(read()).encode()


def test_no_folder_of_the_machine_is_named(redis_client: redis.Redis) -> None:
    found = {name: PATH.findall(text) for name, text in texts(redis_client)}
    assert len(found) > 30
    assert {name: paths for name, paths in found.items() if paths} == {}


@pytest.mark.parametrize("text", [b'"/home/me/y.py"', b" /tmp/a/b", b"in /usr/z"])
def test_a_path_would_be_found(text: bytes) -> None:
    assert PATH.search(text)
