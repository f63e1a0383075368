"""Names become file names."""

import pytest

from persistence.slugs import MAX_LENGTH, free_slug, slugify


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Greeting", "greeting"),
        ("  Größe & Maß, 2nd try!  ", "groe-ma-2nd-try"),
        ("Café au lait", "cafe-au-lait"),
        ("日本語", "prompt"),
        ("../../etc/passwd", "etc-passwd"),
        ("", "prompt"),
        ("---", "prompt"),
        ("a" * 200, "a" * MAX_LENGTH),
        ("a" * (MAX_LENGTH - 1) + " b", "a" * (MAX_LENGTH - 1)),
    ],
)
def test_a_name_becomes_letters_digits_and_hyphens(name: str, slug: str) -> None:
    assert slugify(name) == slug


def test_the_first_free_number_is_taken() -> None:
    assert free_slug("a", set()) == "a"
    assert free_slug("a", {"a"}) == "a-2"
    assert free_slug("a", {"a", "a-2", "a-4", "ab"}) == "a-3"
