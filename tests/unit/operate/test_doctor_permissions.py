"""`doctor` judges what the workers say they run with, not the settings of the shell that it is started in."""

from __future__ import annotations

from triggers.base.settings import Settings
from triggers.ledger.deployment.at_work import Running, key_names, policy_of
from triggers.operate.doctor.findings import Finding
from triggers.operate.doctor.permissions import judge

KEY, NEW = ("of-the-scripts-and-workers",), ("of-the-time-to-come-for-all",)


def running(of: Settings, refused: int = 0) -> Running:
    return Running(("dispatch",), policy_of(of), key_names(of), refused, "it is not signed" if refused else "")


def look(of: Settings, *workers: Settings, sealed: bool = False, refused: int = 0) -> dict[str, Finding]:
    said = {f"w{number}@h:abcd": running(one, refused) for number, one in enumerate(workers)}
    return {finding.about: finding for finding in judge(of, said, sealed=sealed)}


def test_the_workers_settings_count():
    limited = Settings(allow_queues=("q",), sections="none")
    found = look(Settings(), limited, limited)
    assert "queues: q" in found["launches"].words
    assert "edits of the service task change nothing" in found["sections"].words
    assert found["settings here"].level == "warn"
    assert "TRIGGERS_ALLOW_QUEUES" in found["settings here"].words
    assert "settings here" not in look(limited, limited)


def test_without_workers_it_says_whose_settings_it_tells():
    assert "of this process" in look(Settings())["launches"].words
    assert "of this process" not in look(Settings(), Settings())["launches"].words


def test_workers_that_differ_are_named():
    found = look(Settings(), Settings(allow_queues=("q",)), Settings())
    assert found["TRIGGERS_ALLOW_QUEUES"].level == "bad"
    assert "w0@h: q" in found["TRIGGERS_ALLOW_QUEUES"].words
    assert "w1@h: nothing" in found["TRIGGERS_ALLOW_QUEUES"].words


def test_signatures():
    bare, signing = Settings(), Settings(signing_key=KEY)
    assert "TRIGGERS_SIGNING_KEY limits it" in look(bare, bare)["signatures"].to_do
    assert look(signing, signing)["signatures"].level == "ok"
    assert look(signing, signing, bare)["signatures"].level == "bad"
    assert "w1@h" in look(signing, signing, bare)["signatures"].words
    assert look(bare, bare, sealed=True)["signatures"].level == "bad"
    assert look(bare, signing)["signatures"].level == "warn"
    assert look(signing, Settings(signing_key=NEW))["signatures"].level == "bad"
    both = Settings(signing_key=NEW + KEY)
    assert look(both, both, Settings(signing_key=KEY + NEW))["signatures"].level == "ok", "in the middle of an exchange"


def test_refused_messages_are_reported():
    signing = Settings(signing_key=KEY)
    assert look(signing, signing, refused=3)["worker w0@h"].level == "bad"


def test_names_of_keys_say_nothing_of_them():
    (name,) = key_names(Settings(signing_key=KEY))
    assert name not in KEY[0]
    assert KEY[0] not in name
