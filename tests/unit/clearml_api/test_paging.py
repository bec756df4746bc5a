"""Lists read page by page."""

import pytest

from triggers.base.errors import ServerUnavailable
from triggers.clearml_api.connection import Answer
from triggers.clearml_api.paging import pages


class Lists:
    """A server with some pages; beyond them the last one comes again where it `sticks`."""

    def __init__(self, *pages, sticks=False):
        self.pages, self.sticks, self.asked = pages, sticks, 0

    def call(self, endpoint, body):
        self.asked += 1
        number = min(body["page"], len(self.pages) - 1) if self.sticks else body["page"]
        found = self.pages[number] if number < len(self.pages) else ""
        return Answer({"tasks": [{"id": id_} for id_ in found]}, 0)


def read(server, size=2):
    return ["".join(one["id"] for one in page) for page in pages(server, "tasks.get_all", "tasks", {}, size)]


def test_pages_come_until_one_is_not_full_and_each_object_once():
    assert read(Lists("ab", "bc", "d")) == ["ab", "c", "d"]
    assert read(Lists("ab")) == ["ab", ""]


def test_a_list_that_does_not_move_on_ends_with_an_error():
    server = Lists("ab", "cd", sticks=True)
    with pytest.raises(ServerUnavailable, match=r"tasks\.get_all: page 2 has nothing"):
        read(server)
    assert server.asked == 3
