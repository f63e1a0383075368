"""The model of what a deployment costs: that its parts do what they say, and that chance is repeatable."""

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from load.scaling import rhythm
from load.scaling.__main__ import PARTS, main
from load.scaling.assumptions import Assumptions
from load.scaling.costs import Costs, measured
from load.scaling.least_squares import explained
from load.scaling.paper import Slice, plan, sample
from load.scaling.redis_messages import command
from load.scaling.simulation import Load, simulate
from load.scaling.stage import Outcome
from server import pace

COSTS = Costs(
    wake=200e-6,
    update=100e-6,
    batch=150e-6,
    write=9e-6,
    message=100e-6,
    person=2e-6,
    room=10e-6,
    rouse=30e-6,
    publish=9e-6,
    delivery=3e-6,
    commit=300e-6,
    row=40e-6,
    disk=2e-3,
)
PART = Slice(nodes=3, seconds=1.5)
ROOMS = Load(nodes=3, prompts=100, people=3, rate=300.0)


def run(load: Load, costs: Costs = COSTS, *, seconds: float = 5.0, seed: int = 1) -> Outcome:
    return simulate(load, costs, seconds, seed)


def quantile(ordered: list[float], share: float) -> float:
    return ordered[int(len(ordered) * share)]


def test_costs_are_found_again_from_what_they_made(rng: Random) -> None:
    costs = [200.0, 0.0, 9.0, 50.0]
    counts = [[rng.uniform(0, 1000) for _ in costs] for _ in range(12)]
    sums = [sum(cost * count for cost, count in zip(costs, row, strict=True)) for row in counts]
    assert explained(counts, sums) == pytest.approx(costs, abs=1e-3)


def test_no_cost_is_negative() -> None:
    assert explained([[1.0, 1.0], [1.0, 2.0]], [10.0, 5.0])[1] == 0.0


def test_what_was_never_there_costs_nothing() -> None:
    assert explained([[1.0, 0.0], [2.0, 0.0]], [10.0, 20.0]) == pytest.approx([10.0, 0.0])


@pytest.mark.parametrize("name", [name for name in vars(rhythm) if name.isupper()])
def test_rooms_flush_when_the_servers_do(name: str) -> None:
    theirs = getattr(pace, name, None) or getattr(pace, f"_{name}")
    assert getattr(rhythm, name) == theirs


def test_the_same_seed_makes_the_same_run() -> None:
    assert run(ROOMS) == run(ROOMS)
    assert run(ROOMS) != run(ROOMS, seed=2)


def test_where_nobody_types_only_being_there_costs() -> None:
    quiet = run(replace(ROOMS, nodes=1, rate=0.0))
    assert quiet.cpu_shares == [pytest.approx(300 * COSTS.person + 100 * COSTS.room)]
    assert (quiet.here, quiet.writes, quiet.database_cpu_share) == ([], 0.0, 0.0)


@pytest.mark.parametrize("by_prompt", [False, True], ids=["spread", "by prompt"])
def test_all_cpu_is_accounted_for(by_prompt: bool) -> None:  # noqa: FBT001 - a table
    load = replace(ROOMS, by_prompt=by_prompt)
    found, idle = run(load, seconds=20.0), run(replace(load, rate=0.0))
    counted = (
        found.wakes * COSTS.wake
        + load.rate * COSTS.update
        + found.batches * COSTS.batch
        + found.writes * COSTS.write
        + found.received * COSTS.message
    )
    assert sum(found.cpu_shares) - sum(idle.cpu_shares) == pytest.approx(counted, rel=0.03)


def test_a_lone_node_hears_only_itself() -> None:
    alone = run(replace(ROOMS, nodes=1))
    assert alone.elsewhere == []
    assert alone.received == alone.published == alone.batches


def test_where_a_prompt_is_on_one_node_nothing_goes_to_another() -> None:
    together = run(replace(ROOMS, by_prompt=True))
    assert together.elsewhere == []
    assert together.received == together.published
    assert run(ROOMS).received > run(ROOMS).published


def test_redis_that_rests_is_roused_by_each_message_and_one_that_is_busy_is_not() -> None:
    few, many = run(replace(ROOMS, rate=50.0)), run(Load(8, 1_000, 3, 20_000.0, database_cores=64), seconds=1.0)
    per_message = [each.redis_cpu_share / each.published for each in (few, many)]
    assert per_message[0] > per_message[1] + COSTS.rouse / 2


def test_every_key_is_shown_to_everybody_else() -> None:
    found = run(replace(ROOMS, prompts=1, people=30, rate=100.0), seconds=20.0)
    assert found.writes == pytest.approx(found.batches * 30, rel=0.05)
    assert len(found.here) == pytest.approx(100.0 * 16, rel=0.15)
    assert len(found.elsewhere) == pytest.approx(2 * 100.0 * 16, rel=0.15)


def test_the_way_to_another_node_is_the_longer_one() -> None:
    found = run(ROOMS)
    assert found.here[0] >= COSTS.disk * 0.6
    assert quantile(found.elsewhere, 0.5) > quantile(found.here, 0.5)


def test_a_core_that_is_shared_makes_others_wait() -> None:
    alone, shared = run(replace(ROOMS, rate=900.0)), run(replace(ROOMS, rate=900.0, node_cores=1))
    assert quantile(shared.elsewhere, 0.99) > quantile(alone.elsewhere, 0.99)


def test_under_load_batches_grow_and_the_tail_with_them() -> None:
    few, many = (run(Load(1, 10, 10, rate)) for rate in (50.0, 1_500.0))
    assert many.batches / 1_500 < few.batches / 50
    assert many.wakes / 1_500 < few.wakes / 50
    assert quantile(many.here, 0.99) > quantile(few.here, 0.99)


def test_nodes_that_commit_to_one_prompt_wait_for_each_other() -> None:
    one = Load(nodes=3, prompts=1, people=9, rate=60.0)
    slow = replace(COSTS, disk=20e-3)
    assert quantile(run(one, slow).here, 0.9) > quantile(run(replace(one, by_prompt=True), slow).here, 0.9)


def test_a_node_carries_what_its_core_allows() -> None:
    assumed = Assumptions(people=10_000, keys_per_second=2.0)
    found = sample(assumed, COSTS, PART, by_prompt=True, seed=1)
    used = sum(found.outcome.cpu_shares) / len(found.outcome.cpu_shares)
    assert 0.8 * assumed.most_used < used <= assumed.most_used


def test_what_is_needed_grows_with_people() -> None:
    figures = _figures()
    small, large = (
        plan(Assumptions(people=people), figures, by_prompt=True, part=PART) for people in (20_000, 100_000)
    )
    assert small.nodes < large.nodes
    for name in ("postgres_cores", "redis_cores", "journal_gb_a_day"):
        assert large.figures[name] == pytest.approx(5 * small.figures[name], rel=1e-3)


def test_affinity_needs_fewer_nodes() -> None:
    figures = _figures()
    spread, by_prompt = (plan(Assumptions(), figures, by_prompt=each, part=PART) for each in (False, True))
    assert by_prompt.nodes < spread.nodes
    assert by_prompt.figures["delivered_to_nodes_per_second"] == by_prompt.figures["published_per_second"]
    assert by_prompt.figures["memory_gb_per_node"] < spread.figures["memory_gb_per_node"]


def test_a_command_is_written_as_redis_reads_it() -> None:
    assert command("PUBLISH", "a", b"\r\n\x00") == b"*3\r\n$7\r\nPUBLISH\r\n$1\r\na\r\n$3\r\n\r\n\x00\r\n"


def test_what_is_measured_can_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def made_up(seconds: float, seed: int) -> dict[str, float]:
        return {"seconds": seconds, "seed": seed, "third": 1 / 3}

    kept = tmp_path / "measured.json"
    monkeypatch.setattr("load.scaling.__main__.MEASURED", kept)
    monkeypatch.setattr("load.scaling.__main__.leave_the_servers_core", lambda: True)
    monkeypatch.setattr("load.scaling.__main__.PARTS", {**PARTS, "redis": made_up, "memory": made_up})
    for part in ("redis", "memory"):
        assert main(["measure", part, "--seconds", "2", "--keep"]) == 0
    assert measured(kept) == {"seconds": 2.0, "seed": 1.0, "third": 0.33333}
    assert "measure redis --seconds 2" in kept.read_text()


def _figures() -> dict[str, float]:
    return {
        "node_us_per_wake": 200.0,
        "node_us_per_update": 100.0,
        "node_us_per_batch": 150.0,
        "node_us_per_write": 9.0,
        "node_us_per_message": 100.0,
        "node_us_per_person_and_second": 2.0,
        "node_us_per_room_and_second": 10.0,
        "postgres_us_per_room_and_second": 4.0,
        "redis_bytes_per_message": 200.0,
        "redis_us_per_publish_alone": 9.0,
        "redis_us_per_delivery_alone": 3.0,
        "redis_us_per_message_at_rest": 40.0,
        "postgres_cpu_us_per_commit_4": 300.0,
        "postgres_cpu_us_per_row_4": 40.0,
        "postgres_commit_ms_1": 2.3,
        "postgres_row_bytes": 110.0,
        "postgres_index_bytes_per_row": 50.0,
        "postgres_log_bytes_per_row": 480.0,
        "checkpoint_bytes_per_edit": 1.9,
        "memory_mb_of_a_node": 105.0,
        "memory_kb_per_room": 66.0,
        "memory_kb_per_kb_of_typed_text": 62.0,
        "memory_kb_per_person": 9.0,
    }
