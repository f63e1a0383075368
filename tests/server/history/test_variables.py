"""Which names a body asks for."""

from random import Random

import pytest

from server.history.variables import variables_of


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", set()),
        ("Say hello.", set()),
        ("{{name}} {{ other }} {{~third~}} {{{raw}}} {{&plain}}", {"name", "other", "third", "raw", "plain"}),
        ("{{user.name}} {{this.city}} {{./street}}", {"user", "city", "street"}),
        ('{{role "system"}} {{history}} {{section "code"}} {{>card}} {{media url=photo}}', {"photo"}),
        ("{{!no}} {{!-- {{no}} --}} \\{{no}} {{yes}}", {"yes"}),
        (
            "{{#if paid}}{{total}}{{else if trial}}{{days}}{{else}}{{price}}{{/if}}",
            {"paid", "total", "trial", "days", "price"},
        ),
        ("{{#unless a}}{{b}}{{/unless}} {{#ifEquals c 3}}{{d}}{{/ifEquals}}", {"a", "b", "c", "d"}),
        (
            "{{#each items}}{{title}} {{@index}} {{this}} {{../currency}}{{/each}} {{after}}",
            {"items", "currency", "after"},
        ),
        ("{{#each items as |item|}}{{item.title}}{{/each}}", {"items"}),
        ("{{#with user}}{{name}} {{@root.tone}}{{/with}}", {"user", "tone"}),
        ("{{#items}}{{title}}{{/items}}{{^none}}{{text}}{{/none}}", {"items", "none", "text"}),
        ('{{format (upper name) size=width mode="x y" deep=(sum 1 left)}}', {"name", "width", "left"}),
        ("{{true}} {{null}} {{1}} {{-3.5}} {{Größe}} {{user-name}}", {"Größe", "user-name"}),
        ("{{@root.a}} {{@state.b}} {{@first}}", {"a"}),
        ("{{open {{name}}", {"name"}),
        ("{{ never closed", set()),
        ("{{!-- never closed {{a}}", set()),
        ('}} {{}} {{/if}} {{/}} {{#}} {{^}} {{|}} {{(}} {{=}} {{"}} {{x', set()),
    ],
)
def test_the_names_that_are_asked_for(body: str, expected: set[str]) -> None:
    assert variables_of(body) == expected


def test_whatever_stands_in_a_body_is_read(rng: Random) -> None:
    marks = ["{{", "}}", "{", "}", "#", "/", "../", "|", "(", ")", "=", '"', "!--", "--", "\\", "\n", "~"]
    for _ in range(2_000):
        variables_of("".join(rng.choices([*marks, "each ", "if ", "as ", "x", "😀"], k=rng.randint(1, 30))))


@pytest.mark.parametrize("piece", ["{{", "{{a}}", "{{#each a}}", '{{"', "{{!--", "{{(", "}}", "\\{{a}}", "{{a b=c}}"])
def test_a_large_body_is_read_once(piece: str) -> None:
    body = piece * (256 * 1024 // len(piece))
    assert variables_of(body) <= {"a", "b", "c"}
