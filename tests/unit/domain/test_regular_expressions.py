from __future__ import annotations

import time

import pytest

from triggers.model import patterns


@pytest.mark.parametrize("pattern", ["[", "(", "a**", "*", "\\", "(?P<x", "a{2}{3}", "(?<=a+b", r"\L<x>"])
def test_problem_of_names_what_is_malformed(pattern):
    assert patterns.problem_of(pattern)


@pytest.mark.parametrize("pattern", ["(a{60000}){60000}", "a{99999999999}", "(" * 50_000 + ")" * 50_000, "x" * 60_000])
def test_problem_of_refuses_what_would_take_the_memory_of_a_worker(pattern):
    started = time.process_time()
    assert patterns.problem_of(pattern)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "pattern", [r"\d{4}-\d{2}-\d{2}", "[0-9a-f]{32}", r"(?i)x", r"^(?>a+)b++$", r"[]{9999}]", r"(?:a{9}){0,9}", "|"]
)
def test_problem_of_passes_what_the_server_takes(pattern):
    assert patterns.problem_of(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^(a|aa)+$", "a" * 100 + "!"),
        ("(x+x+)+y", "x" * 10_000),
        (r"^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 10_000),
        (r"(.*?,){25}P", "1," * 5_000),
        ("(a?){3000}a{3000}", "a" * 3_000),
    ],
)
def test_found_in_is_bounded_in_time(pattern, text):
    started = time.process_time()
    with pytest.raises(patterns.TooSlow):
        patterns.found_in(pattern, text)
    assert time.process_time() - started < 2


def test_found_in_gives_a_slow_expression_less_and_less_time():
    pattern = "^(b|bb)+$"
    spent = []
    for n in range(8):
        started = time.process_time()
        with pytest.raises(patterns.TooSlow):
            patterns.found_in(pattern, "b" * (80 + n) + "!")
        spent.append(time.process_time() - started)
    assert sum(spent[patterns.STRIKES :]) < sum(spent[: patterns.STRIKES])
    assert patterns.found_in(pattern, "bbb")


def test_case_is_folded_in_every_alphabet():
    assert patterns.found_in("(?i)^żółć$", "ŻÓŁĆ")
    assert not patterns.found_in("^żółć$", "ŻÓŁĆ")


def test_classes_know_ascii_only_as_on_the_server():
    assert not patterns.found_in(r"^\w+$", "zażółć")
    assert patterns.found_in(r"^\w+$", "zazolc")


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("^run 1$", "run 1"), (r"^a\.b\-c$", "a.b-c"), ("^$", None), ("^a.b$", None), (r"^a\d$", None), ("a", None)],
)
def test_exact_text_gives_the_only_name_there_can_be(pattern, text):
    assert patterns.exact_text(pattern) == text


def test_every_exact_name_can_be_compiled():
    """`problem_of` passes them without doing so."""
    for each in map(chr, range(0x250)):
        for pattern in (f"^{each}$", rf"^a\{each}b$"):
            if (name := patterns.exact_text(pattern)) is not None:
                assert patterns.problem_of(pattern) is None
                assert patterns.found_in(pattern, name)
