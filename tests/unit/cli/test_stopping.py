"""A verb that goes on until Ctrl-C ends with exit code 0, whatever an interrupted import makes of the signal."""

from __future__ import annotations

import signal
from contextlib import suppress

import pytest
import typer

from triggers.base import ending
from triggers.cli.stopping import until_stopped

SIGNALS = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


def swallow(number: signal.Signals) -> None:
    with suppress(KeyboardInterrupt):
        signal.raise_signal(number)


def fail_by(number: signal.Signals) -> None:
    swallow(number)
    raise ImportError("this extension was interrupted")


@SIGNALS
def test_a_signal_ends_it_in_order(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(typer.Exit) as ended, until_stopped():
        signal.raise_signal(number)
    assert ended.value.exit_code == 0
    assert signal.getsignal(number) is before


@SIGNALS
def test_an_import_that_fails_because_of_it_is_no_failure(number: signal.Signals) -> None:
    with pytest.raises(typer.Exit) as ended, until_stopped():
        fail_by(number)
    assert ended.value.exit_code == 0


def test_a_failure_of_its_own_stays_one() -> None:
    with pytest.raises(ImportError), until_stopped():
        raise ImportError("it is missing")


def test_a_signal_that_was_swallowed_is_remembered_for_this_verb_alone() -> None:
    with until_stopped():
        swallow(signal.SIGINT)
        assert ending.asked() == signal.SIGINT
    with until_stopped():
        assert not ending.asked()


def test_what_the_shell_lets_ignore_ctrl_c_ignores_it() -> None:
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with until_stopped():
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, previous)
