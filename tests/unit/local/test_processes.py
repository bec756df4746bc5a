import os
import signal
import subprocess
import sys
import threading

from triggers.local import processes
from triggers.local.supervisor import Backoff


def test_start_time_names_a_process_and_knows_its_end():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert processes.start_time(process.pid) == processes.start_time(process.pid) is not None
        process.kill()
        assert processes.wait_until(lambda: processes.start_time(process.pid) is None, 60), "a zombie counts as gone"
    finally:
        process.kill()
        process.communicate()


def test_spawn_ties_the_child_to_the_process_and_not_to_the_calling_thread():
    """PR_SET_PDEATHSIG fires when the thread ends that started the child."""
    code = "import ctypes, signal, time; ctypes.CDLL(None).prctl(1, signal.SIGTERM);print(flush=True); time.sleep(60)"
    started = []

    def start():
        started.append(processes.spawn([sys.executable, "-c", code], stdout=subprocess.PIPE))
        started[0].stdout.readline()  # the signal is armed

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    with started[0] as process:
        assert not processes.wait_until(lambda: process.poll() is not None, 0.3)
        processes.end(process, 60)


def test_spawn_uses_a_session_of_its_own():
    process = processes.spawn([sys.executable, "-c", "import time; time.sleep(60)"])
    assert os.getsid(process.pid) == process.pid != os.getsid(0)
    processes.end(process, 60)
    assert process.returncode == -signal.SIGTERM


def test_end_kills_the_group_of_what_does_not_listen():
    code = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "print(p.pid, flush=True); time.sleep(60)"
    )
    process = processes.spawn([sys.executable, "-c", code], stdout=subprocess.PIPE)
    with process:
        grandchild = int(process.stdout.readline())
        processes.end(process, 0.2)
        assert process.returncode == -signal.SIGKILL
        assert processes.wait_until(lambda: processes.start_time(grandchild) is None, 60)


def test_keep_from_forks_closes_in_a_fork_only():
    reading, writing = os.pipe()
    processes.keep_from_forks(writing)
    pid = os.fork()
    if pid == 0:
        try:
            os.fstat(writing)
        except OSError:
            os._exit(0)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.fstat(writing)
    processes.close(writing)
    processes.close(writing)  # nothing
    assert os.read(reading, 1) == b""
    os.close(reading)


def test_backoff_doubles_to_its_limit_and_forgets_after_health():
    backoff = Backoff()
    assert [backoff.pause(1) for _ in range(7)] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert [backoff.pause(31), backoff.pause(0)] == [0.2, 0.4]
