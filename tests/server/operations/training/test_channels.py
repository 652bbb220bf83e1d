"""The order that a ShuffleConfig gives a channel's objects."""

from headrace.server.operations.training.channels import shuffled


def test_a_seed_gives_each_epoch_an_order_of_its_own() -> None:
    keys = list(range(50))
    assert shuffled(keys, None, 3) == keys
    first, second = (shuffled(keys, 7, epoch) for epoch in (0, 1))
    assert sorted(first) == sorted(second) == keys
    assert first != second
    assert first == shuffled(keys, 7, 0)
    assert first != shuffled(keys, 8, 0)
