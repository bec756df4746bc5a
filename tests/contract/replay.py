#!/usr/bin/env python3
# ruff: noqa: B905, E501, RET503 - kept as it came with the recordings, so that it can be compared
"""Replay recorded scenarios against a ClearML-compatible API server and compare the answers.

    replay.py --api http://127.0.0.1:8008 [--access-key K --secret-key S] scenarios/*.jsonl

Each scenario is a JSONL file: a header object, then one object per call (see README.md).  The calls are
sent in order; what the server makes (ids, times, tokens) is a placeholder in the recording and is bound to
the server's own value when it is first seen.  Exit status 1 if any scenario fails.
"""

import argparse
import fnmatch
import json
import math
import os
import re
import sys
import time
from datetime import UTC, datetime, timedelta, timezone

import requests

PLACEHOLDER = re.compile(r"<(id:[\w.-]+|time:\d+(?:\|[^>]*)?|time|token|any)>")
GAP = 0.012  # pause between calls, so that the times they make can be told apart


class Mismatch(Exception):
    """The answer differs from the recording; the text says where."""


def parse_time(text):
    """ISO time -> aware datetime (naive times are UTC)."""
    value = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def time_form(text, form):
    """Write a server's time the way a request had it: naive, Z, +02:00, +1ms, -1ms; '' is as the server wrote it."""
    value = parse_time(text)
    if form == "+02:00":
        return value.astimezone(timezone(timedelta(hours=2))).isoformat()
    if form.endswith("ms"):
        value += timedelta(milliseconds=int(form[:-2]))
    plain = value.replace(tzinfo=None).isoformat()
    return {"": text, "Z": plain + "Z"}.get(form, plain)


def type_of(value):
    """JSON type name; whole and fractional numbers are one type."""
    for name, kinds in (("bool", bool), ("number", (int, float)), ("string", str), ("list", list), ("object", dict)):
        if isinstance(value, kinds):
            return name
    return "null"


class Scenario:
    """One recorded file while it is replayed: bound placeholders and the comparison."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as lines:
            records = [json.loads(line) for line in lines if line.strip()]
        self.header, self.calls = records[0], records[1:]
        self.name = self.header.get("scenario", os.path.basename(path))
        self.exact = self.header.get("mode", "exact") == "exact"
        self.bound = {}  # "id:task1" -> the server's id
        self.latest = {}  # N -> last time seen for <time:N>, what a later request means by it
        self.sent = {}  # N -> when call N was sent, by the client's clock
        self.took = {}  # N -> seconds that call N took
        self.skew = (-math.inf, math.inf)  # bounds of server's clock - client's clock, as known from <time:N> so far

    # ---- placeholders -------------------------------------------------------------------------------
    def fill(self, value):
        """A recorded request with the placeholders replaced by what they are bound to."""
        if isinstance(value, dict):
            return {self.fill(k): self.fill(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.fill(v) for v in value]
        return PLACEHOLDER.sub(self._filled, value) if isinstance(value, str) else value

    def _filled(self, match):
        kind, _, name = match.group(1).partition(":")
        if kind == "id" and match.group(1) in self.bound:
            return self.bound[match.group(1)]
        number, _, form = name.partition("|")
        if kind == "time" and number and int(number) in self.latest:
            return time_form(self.latest[int(number)], form)
        return match.group()

    def bind(self, placeholder, actual, path):
        """Bind a placeholder on first sight, or check that it still has the same value."""
        kind, _, name = placeholder.partition(":")
        if kind == "any":
            return
        if not isinstance(actual, str) or not actual:
            raise Mismatch(f"{path}: expected <{placeholder}>, got {actual!r}")
        if kind == "id":
            known = self.bound.setdefault(placeholder, actual)
            if known != actual:
                raise Mismatch(f"{path}: expected <{placeholder}> = {known}, got {actual}")
            other = [p for p, v in self.bound.items() if v == actual and p != placeholder]
            if other:
                raise Mismatch(f"{path}: <{placeholder}> and <{other[0]}> are both {actual}")
        elif kind == "time":
            try:
                value = parse_time(actual)
            except ValueError:
                raise Mismatch(f"{path}: expected a time, got {actual!r}") from None
            if name:
                self.bind_time(int(name.split("|")[0]), value, actual, path)

    def bind_time(self, number, value, actual, path):
        """<time:N> was made while call N ran - by the server's clock, which is the client's plus a constant (skew)."""
        self.latest[number] = actual
        if number:
            late = value.timestamp() - self.sent[number]
            self.skew = max(self.skew[0], late - self.took[number]), min(self.skew[1], late)
            if self.skew[0] > self.skew[1] + 0.004:
                raise Mismatch(
                    f"{path}: expected <time:{number}>, a time made by call {number}; {actual} was not made then"
                )

    # ---- comparison ---------------------------------------------------------------------------------
    def match(self, want, got, path, ordered=False):
        """Raise Mismatch unless `got` has all that `want` has. Keys that only `got` has do not matter."""
        if isinstance(want, str) and PLACEHOLDER.search(want):
            return self.match_text(want, got, path)
        if not self.exact and want is None:
            return None
        if type_of(want) != type_of(got):
            raise Mismatch(f"{path}: expected {json.dumps(want)[:200]}, got {json.dumps(got)[:200]}")
        if isinstance(want, dict):
            for key, value in want.items():
                key = self.fill(key)
                if any(fnmatch.fnmatch(f"{path}.{key}", pattern) for pattern in self.header.get("ignore", ())):
                    continue
                if key not in got:
                    raise Mismatch(f"{path}: no key {key!r}, expected {json.dumps(value)[:200]}")
                self.match(value, got[key], f"{path}.{key}", ordered)
        elif isinstance(want, list):
            self.match_list(want, got, path, ordered)
        elif self.exact and want != got and not (want != want and got != got):  # NaN is like NaN
            raise Mismatch(f"{path}: expected {want!r}, got {got!r}")

    def match_text(self, want, got, path):
        """A string with placeholders in it: bind each to the part of the answer that stands in its place."""
        names = PLACEHOLDER.findall(want)
        if want == f"<{names[0]}>":
            return self.bind(names[0], got, path)
        pattern = "(.+?)".join(re.escape(part) for part in PLACEHOLDER.split(want)[::2])
        found = re.fullmatch(pattern, got, re.S) if isinstance(got, str) else None
        if not found:
            raise Mismatch(f"{path}: expected {want!r}, got {got!r}")
        for name, part in zip(names, found.groups()):
            self.bind(name, part, path)

    def match_list(self, want, got, path, ordered):
        """Lists: in order where the request asked for an order or items have no identity; else as a set."""
        if not self.exact:
            if want and not got:
                raise Mismatch(f"{path}: expected some items like {json.dumps(want[0])[:200]}, got none")
            return [self.match(w, g, f"{path}[{i}]") for i, (w, g) in enumerate(zip(want, got))]
        if len(want) != len(got):
            raise Mismatch(
                f"{path}: expected {len(want)} items {json.dumps(want)[:300]}, got {len(got)} {json.dumps(got)[:300]}"
            )
        unordered = not ordered and all(not isinstance(w, dict) or "id" in w or "name" in w for w in want)
        left = list(got)
        for i, item in enumerate(want):
            candidates = left if unordered else [got[i]]
            if unordered and isinstance(item, dict):  # the one with the same identity first, if already bound
                field = "id" if "id" in item else "name"
                same = [g for g in left if isinstance(g, dict) and g.get(field) == self.fill(item[field])]
                candidates = same or left
            error = None
            for candidate in candidates:
                saved = dict(self.bound), dict(self.latest), self.skew
                try:
                    self.match(item, candidate, f"{path}[{i}]")  # the order is that of the outer list
                    if unordered:
                        left.remove(candidate)
                    break
                except Mismatch as e:
                    self.bound, self.latest, self.skew, error = *saved, error or e
            else:
                raise error or Mismatch(f"{path}[{i}]: nothing left to match {json.dumps(item)[:200]}")


class Server:
    """The server under test."""

    def __init__(self, api, key, secret):
        self.api, self.key, self.secret, self.session = api.rstrip("/"), key, secret, requests.Session()
        self.token = self.login()

    def login(self, **request):
        """A new token for the key pair."""
        answer = requests.post(self.api + "/auth.login", json=request, auth=(self.key, self.secret), timeout=60)
        answer.raise_for_status()
        return answer.json()["data"]["token"]

    def send(self, record, request):
        """Send one recorded call as it was sent; returns (http status, answer)."""
        http = record["http"]
        headers = {k: v for k, v in http.get("headers", {}).items() if k.lower().startswith("x-")}
        how, auth = http.get("auth", "token"), None
        self.session.cookies.clear()  # auth.login sets a cookie that would stand in for the header
        if how == "token":
            headers["Authorization"] = "Bearer " + self.token
        elif how == "expired":
            headers["Authorization"] = "Bearer " + self.login(expiration_sec=1)
            time.sleep(2.2)
        elif how.startswith("literal:"):
            headers["Authorization"] = how[len("literal:") :]
        elif how != "none":
            auth = {
                "basic": (self.key, self.secret),
                "wrong-secret": (self.key, "wrong-secret"),
                "unknown-key": ("unknown-key", "wrong-secret"),
            }[how]
        lines = isinstance(request, list)
        headers["Content-Type"] = http.get("content_type") or (
            "application/json-lines" if lines else "application/json"
        )
        body = "\n".join(json.dumps(x) for x in request) if lines else record.get("raw_body", json.dumps(request))
        url = "{}/{}{}".format(
            self.api, f"v{record['api_version']}/" if record.get("api_version") else "", record["call"]
        )
        answer = self.session.request(http["method"], url, data=body.encode(), headers=headers, auth=auth, timeout=60)
        try:
            return answer.status_code, answer.json()
        except ValueError:
            return answer.status_code, {"meta": {}, "data": answer.text}


def replay(server, scenario):
    """Replay all calls of one scenario; raises Mismatch at the first difference."""
    for number, record in enumerate(scenario.calls, 1):
        if record["http"].get("server") == "files":
            continue  # the SDK's traffic with the file server: recorded for reading only
        request = scenario.fill(record["request"])
        time.sleep(GAP)
        scenario.sent[number] = time.time()
        if not scenario.exact:  # in traces <time:N> in a request is when call N was sent, by the client's clock
            scenario.latest[number] = datetime.now(UTC).isoformat()
        status, answer = server.send(record, request)
        scenario.took[number] = time.time() - scenario.sent[number]
        meta, where = answer.get("meta") or {}, f"call {number} {record['call']}"
        got = f"{status} {meta.get('result_code')}/{meta.get('result_subcode')} {meta.get('result_msg')}"
        want = record["meta"]
        if (status, meta.get("result_code"), meta.get("result_subcode")) != (
            record["http"]["status"],
            want["result_code"],
            want["result_subcode"],
        ):
            raise Mismatch(
                f"{where}: expected {record['http']['status']} {want['result_code']}/{want['result_subcode']} {want['result_msg']}, got {got}"
            )
        ordered = isinstance(request, dict) and bool(request.get("order_by"))
        scenario.match(record["data"], answer.get("data"), f"{where}: data", ordered)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--api", required=True)
    parser.add_argument("--access-key", default=os.environ.get("CLEARML_API_ACCESS_KEY", ""))
    parser.add_argument("--secret-key", default=os.environ.get("CLEARML_API_SECRET_KEY", ""))
    parser.add_argument("files", nargs="+")
    args = parser.parse_args()
    server, failed = Server(args.api, args.access_key, args.secret_key), 0
    for path in args.files:
        scenario = Scenario(path)
        try:
            replay(server, scenario)
            print(f"PASS {scenario.name} ({len(scenario.calls)} calls)", flush=True)
        except Mismatch as difference:
            failed += 1
            print(f"FAIL {scenario.name}: {difference}", flush=True)
    print(f"{len(args.files) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
