"""Packs a source archive again, so that the same sources give the same bytes: `python -m tests.same_archive FILE`.

The wheel needs no such step: its builder reads `SOURCE_DATE_EPOCH`.
"""

from __future__ import annotations

import gzip
import io
import os
import sys
import tarfile
from pathlib import Path


def normalized(archive: bytes, time: int) -> bytes:
    """The same files in order of their names, changed at `time` (seconds since 1970), owned by nobody in particular."""
    packed = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(archive)) as read,
        # neither a time nor a name in the header of gzip
        gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as written,
    ):
        for member in sorted(read.getmembers(), key=lambda each: each.name):
            content = read.extractfile(member)
            member.mtime, member.pax_headers = time, {}
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            written.addfile(member, content)
    return packed.getvalue()


if __name__ == "__main__":
    for name in sys.argv[1:]:
        file = Path(name)
        file.write_bytes(normalized(file.read_bytes(), int(os.environ["SOURCE_DATE_EPOCH"])))
