"""Phrases that are not used here, and what says it instead. A pattern covers the forms of its words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tests.texts.source import Text

#: what was found → what says it
REPLACED: Final[dict[str, str]] = {
    r"\b(?:ha[sd]|have|having) (?:an |any |no )?effects? (?:only )?with\b": "requires",
    r"\b(?:goes|go|going|went) not with\b|\bdoes not go with\b": "cannot be combined with",
    r"\bwhere (?:several|there are several)\b": "if there are several",
    r"\bwhere one was lost\b|\b(?:gives?|gave|given|giving) an? hint again\b": "re-sends lost hints",
    r"\bwho (?:goes|go|went) on\b": "which worker resumes from there",
    r"\b\d not so\b": "failed or negative result",
    r"\bno scheduler lives?\b|\bschedulers? (?:that )?lives? (?:in|on|here)\b": "no scheduler found in",
    r"\bat most so many\b|\bso many, the newest\b": "at most N, newest first",
    r"\blet(?:s|ting)? go\b": "release; its lease expires within N s",
    r"\b(?:comes?|came|coming|is|are|was|stay(?:s|ing)?|one) (?:at )?home\b|\bat home\b": "took over; serves",
    r"\ba little (?:old|late|ahead|behind)\b": "N s old; name the number",
    r"\bheld go(?:es)?\b": "released N held firings",
    r"\bfunctions wait\b": "cannot fetch function calls; retrying",
    r"\b(?:breaks?|broke|broken|breaking) off\b": "failed",
    r"\bin doubt\b": "cannot tell",
    r"\b(?:is|are|was|were) waited for\b": "waits; wait for",
    r"\bnonsense\b": "corrupt data",
    r"\bset(?:s|ting)? aside\b": "quarantine",
    r"\bwhat lasts\b": "a lasting problem",
    r"\bmend(?:s|ed|ing)?\b": "fix",
    r"\btold\b(?! apart)": "notified, logged, reported",
    r"\bsaid\b": "logged, reported, stated",
    r"\bheld (?:by (?:a |the )?tests?\b|by `?tests/|to (?:by|what))|\| held by \|": "verified by",
    r"\bfor ever\b": "forever, without limit",
    r"\bway out\b": "fix; what to do",
    r"(?<!there )(?<!There )\b(?:is|are) none\b(?! of)": "is not a ...; does not exist",
}
#: The same, but not in names of tests, in which short words stand for sentences.
REPLACED_IN_SENTENCES: Final[dict[str, str]] = {
    r"(?<!there )\b(?:is|are|was|were) no (?!longer\b|(?:more|less) than\b|need\b|one\b|limit\b)": "is not a",
    r"\bleases?\b[^.;:]{0,30}\b(?:runs?|ran|running) out\b": "expires",
    r"\btak(?:es?|en|ing) (?:no )?calls\b": "accepts calls, refuses calls",
    r"\bwhat stands (?:behind|before|in place)\b": "the part after, before",
    r"\bin the hands of\b": "reserved by, held by",
}
#: "None" is a value, "none" a word.
PATTERNS: Final = {
    re.compile(pattern if "none" in pattern else f"(?i){pattern}"): instead for pattern, instead in REPLACED.items()
}
PATTERNS_OF_SENTENCES: Final = {
    re.compile(f"(?i){pattern}"): instead for pattern, instead in REPLACED_IN_SENTENCES.items()
}


#: Names in code, which may keep their words.
_NAMES = re.compile(r"`[^`]*`")
#: The end of a line in running text, with what the next one begins with.
_GAP = re.compile(r"\n[ \t]*(?:#:?|--)?[ \t]*")


def found(text: Text) -> Iterator[tuple[str, str, str]]:
    """(place, phrase, what says it instead) of each phrase in a text; one may run over the end of a line."""
    plain = _NAMES.sub(lambda name: "`" * len(name[0]), text.text)
    running = _GAP.sub(lambda gap: " " + "\0" * (len(gap[0]) - 1), plain)
    kept = [at for at, character in enumerate(running) if character != "\0"]
    running = running.replace("\0", "")
    patterns = PATTERNS if text.kind == "name" else PATTERNS | PATTERNS_OF_SENTENCES
    for pattern, instead in patterns.items():
        for match in pattern.finditer(running):
            yield text.at(kept[match.start()]), match[0], instead
