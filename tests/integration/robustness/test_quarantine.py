"""A batch is quarantined by the owner of its partition alone, and only what was looked at."""

from __future__ import annotations

import pytest

from triggers.base.errors import Fenced
from triggers.ledger import Ledger, leases
from triggers.ledger.operating import quarantine


def test_only_the_owner_takes_the_batch_that_was_looked_at(ledger: Ledger) -> None:
    name = ledger.keys.batches(3)
    ledger.store.client.rpush(name, "garbage", "more")
    token = leases.acquire(ledger.store, ledger.keys, "match:3", 30)
    assert token
    with pytest.raises(Fenced):
        ledger.quarantine.take_batch(3, "another", "garbage", "why")
    with pytest.raises(Fenced):
        ledger.quarantine.take_batch(3, token, "more", "why")
    assert ledger.quarantine.count() == 0
    ledger.quarantine.take_batch(3, token, "garbage", "why")
    assert [(one.text, one.why) for one in ledger.quarantine.read()] == [("garbage", "why")]
    assert ledger.store.client.lrange(name, 0, -1) == ["more"]


def test_no_more_is_kept_than_the_limit(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine, "KEPT", 5)
    ledger.quarantine.keep([quarantine.Quarantined("event", "why", str(number) * 20_000) for number in range(9)])
    assert [one.text[0] for one in ledger.quarantine.read()] == ["8", "7", "6", "5", "4"]
    assert {len(one.text) for one in ledger.quarantine.read()} == {quarantine.TEXT_LENGTH}
