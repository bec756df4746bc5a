"""Texts of megabytes that a thread of a worker held for a moment do not stay with its process."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys, threading
import psutil

sys.path.insert(0, {path!r})
from workers.memory import give_back

def hold():
    texts = ["x" * 2_500_000 + str(n) for n in range(4)]
    return [text.encode() for text in texts]

def in_a_thread():
    thread = threading.Thread(target=hold)
    thread.start()
    thread.join()

hold()
before = psutil.Process().memory_info().rss
assert give_back()
for _ in range(5):
    in_a_thread()
print(psutil.Process().memory_info().rss - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps such blocks")
def test_large_blocks_go_back_to_the_system() -> None:
    program = PROGRAM.format(path=str(ROOT))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 2_000_000


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from workers import memory

    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _: object())
    assert not memory.give_back()
