"""The fake backend of `veza.testing` and the rehearsal backend give the same results, whatever happens."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from amount import share
from hypothesis import given, settings
from hypothesis import strategies as st

import veza

from .scenarios import DAY, SCENARIOS, licenses, tried
from .worlds import PASSWORD, FakeWorld, RehearsalWorld, rehearsing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .scenarios import Scenario
    from .worlds import World


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RehearsalWorld]:
    with rehearsing(tmp_path_factory.mktemp("rehearsal")) as world:
        yield world


@pytest.fixture(scope="module")
def products(rehearsal: RehearsalWorld) -> dict[str, dict[str, object]]:
    rehearsal.reset()
    return rehearsal.products()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_both_worlds_give_what_is_written_down(
    scenario: Scenario, rehearsal: RehearsalWorld, products: dict[str, dict[str, object]]
) -> None:
    rehearsal.reset()
    expected = list(scenario.expected)
    assert list(scenario.play(rehearsal)) == expected
    assert list(scenario.play(FakeWorld(copy.deepcopy(products)))) == expected


class Story:
    """A client, and the orders that it made in a world. Each method is an act, and returns what came of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.client = world.client()
        self.placed: list[veza.CheckoutOrder] = []

    def _id(self, which: int) -> str:
        return self.placed[which % len(self.placed)].order.id if self.placed else "none"

    def order(self, places: Sequence[int], key: str | None) -> str:
        def create() -> veza.CheckoutOrder:
            made = self.client.orders.create([self.world.product(place) for place in places], idempotency_key=key)
            if made.order.id not in {one.order.id for one in self.placed}:
                self.placed.append(made)
            return made

        return tried(create)

    def buy(self, place: int) -> str:
        ordered = self.order([place], None)
        return f"{ordered}, {self.page('pay', -1)}"

    def page(self, act: str, which: int) -> str:
        if self.placed:
            getattr(self.world, act)(self.placed[which % len(self.placed)])
        return act

    def refund(self, which: int, cents: int | None, key: str | None) -> str:
        order, refund = self._id(which), self.client.orders.refund
        return tried(lambda: refund(order, reason="test", amount_cents=cents, idempotency_key=key))

    def settle(self) -> str:
        self.world.settle_refunds()
        return "settled"

    def fail(self) -> str:
        self.world.fail_refunds()
        return "failed"

    def fail_late(self, which: int) -> str:
        return tried(lambda: self.world.fail_late(self.client, self._id(which)))

    def wait(self, seconds: int) -> str:
        if seconds >= DAY:  # no refund stays pending for days
            self.world.settle_refunds()
        self.world.pass_time(seconds)
        return f"{seconds} s"

    def withdraw(self, place: int) -> str:
        self.world.withdraw(place)
        return "withdrawn"

    def read(self, which: int) -> str:
        return tried(lambda: self.client.orders.get(self._id(which)))

    def orders(self, status: veza.OrderStatus | None, page: int, limit: int) -> str:
        places = {one.order.id: number for number, one in enumerate(self.placed)}

        def told() -> str:
            found = self.client.orders.list(status=status, page=page, limit=limit)
            return f"{[places[one.id] for one in found.data]} of {found.meta.total}, page {found.meta.page}"

        return tried(told)

    def products(self, page: int, limit: int) -> str:
        def told() -> str:
            found = self.client.products.list(page=page, limit=limit)
            return f"{[one.id for one in found.data]} of {found.meta.total}, {found.meta.total_pages} pages"

        return tried(told)

    def licenses(self, which: int | None) -> str:
        return tried(lambda: licenses(self.client, None if which is None else self._id(which)))

    def login(self, password: str) -> str:
        return tried(self.world.client(password=password).auth.login)

    def renew(self) -> str:
        return tried(self.client.auth.refresh)

    def logout(self) -> str:
        return tried(self.client.auth.logout)

    def ending(self) -> list[str]:
        return [self.read(which) + self.licenses(which) for which in range(len(self.placed))]


def _act(name: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, tuple[Any, ...]]]:
    return st.tuples(st.just(name), st.tuples(*arguments))


PLACES, WHICH = st.integers(0, 3), st.integers(-2, 1)
KEYS = st.sampled_from([None, "k", "l"])
ORDERING = _act("order", st.lists(PLACES, min_size=1, max_size=2), KEYS)
BUYING = _act("buy", PLACES)
PAGES = _act("page", st.sampled_from(["pay", "decline", "decline", "cancel"]), WHICH)
REFUNDING = _act("refund", WHICH, st.sampled_from([None, None, 1, 450, 501]), KEYS)
ENDING = [_act("settle"), _act("settle"), _act("fail"), _act("fail_late", WHICH)]
WAITING = _act("wait", st.sampled_from([1, 600, 899, 900, DAY, 14 * DAY, 31 * DAY]))
READING = [
    _act("read", WHICH),
    _act("orders", st.sampled_from([None, *veza.OrderStatus]), st.integers(1, 3), st.integers(1, 4)),
    _act("products", st.integers(1, 3), st.integers(1, 30)),
    _act("licenses", st.none() | WHICH),
]
ACCOUNT = [_act("login", st.sampled_from([PASSWORD, "wrong", "wrong"])), _act("renew"), _act("logout")]
OFTEN = [ORDERING, BUYING, BUYING, *[PAGES] * 4, *[REFUNDING] * 6, *ENDING, WAITING, WAITING]
ACTS = st.sampled_from([*OFTEN, *OFTEN, *READING, *ACCOUNT, _act("withdraw", PLACES)]).flatmap(lambda act: act)
STORIES = st.tuples(
    st.lists(st.one_of(BUYING, ORDERING), min_size=1, max_size=2), st.lists(ACTS, min_size=3, max_size=10)
).map(lambda parts: parts[0] + parts[1])
RULES = st.sampled_from([("limit_logins", (2,)), ("lock_after", (2,)), ("ignore_keys", ())])


def told(
    world: World, acts: Sequence[tuple[str, tuple[Any, ...]]], rules: Sequence[tuple[str, tuple[Any, ...]]]
) -> Any:
    """Play acts in a world with these rules; return what came of each."""
    for rule, argument in rules:
        getattr(world, rule)(*argument)
    story = Story(world)
    return [(name, getattr(story, name)(*arguments)) for name, arguments in acts] + story.ending()


@settings(max_examples=share(120))
@given(acts=STORIES, rules=st.lists(RULES, unique=True, max_size=1))
def test_whatever_happens_both_worlds_give_the_same(
    acts: Sequence[tuple[str, tuple[Any, ...]]],
    rules: Sequence[tuple[str, tuple[Any, ...]]],
    rehearsal: RehearsalWorld,
    products: dict[str, dict[str, object]],
) -> None:
    rehearsal.reset()
    assert told(FakeWorld(copy.deepcopy(products)), acts, rules) == told(rehearsal, acts, rules)
