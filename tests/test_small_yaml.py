"""The reader of our own YAML files: what they use is read as YAML means it, and everything else is refused."""

import pytest

from tests.support.small_yaml import NotOurYaml, read_yaml

OURS = """
base: &base # a comment
  list:
    - one: 'a: b'
      two: "#"
    - plain words
  flow: ["a", "b, c"]
of:
  <<: *base
  flow: []
beside:
- one
- two
folded: >-
  one
  line
kept: |
  one

    line
empty:
"""


def test_yaml_of_our_kind_is_read() -> None:
    items = [{"one": "a: b", "two": "#"}, "plain words"]
    assert read_yaml(OURS) == {
        "base": {"list": items, "flow": ["a", "b, c"]},
        "of": {"list": items, "flow": []},
        "beside": ["one", "two"],
        "folded": "one line",
        "kept": "one\n\n  line\n",
        "empty": None,
    }


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\na: 2",
        "a: {b: c}",
        "a: b: c",
        "a: *nobody",
        "a: 'it''s'",
        "a: [b]",
        "a: [1]",
        "a: 1\n   b: 2",
        "a",
        "a: |2\n  b",
        "- a\nb: c",
        "<<: a",
    ],
)
def test_other_yaml_is_refused(text: str) -> None:
    with pytest.raises(NotOurYaml, match="line"):
        read_yaml(text)
