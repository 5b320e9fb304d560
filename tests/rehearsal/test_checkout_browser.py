"""The checkout page in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import expect, sync_playwright
from surroundings import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page, Route, ViewportSize
    from rehearsal.conftest import Backend

pytestmark = [pytest.mark.process, pytest.mark.real_clock]
Scheme: TypeAlias = Literal["light", "dark"]

PHONE: ViewportSize = {"width": 360, "height": 740}
DESK: ViewportSize = {"width": 1280, "height": 900}
DECLINED = "4000000000000002"
CHALLENGED = "4000003800000446"
GOOD = "4242424242424242"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that may not complain, nor ask for anything off loopback."""
    page = browser.new_page(viewport=DESK)
    page.set_default_timeout(PATIENCE * 1000)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url) if _foreign(request.url) else None)
    yield page
    page.close()
    assert complaints == []


def _foreign(url: str) -> bool:
    return urlsplit(url).hostname not in {"127.0.0.1", None}


def fill(page: Page, card: str) -> None:
    page.get_by_label("Card number").fill(card)
    page.get_by_label("Expiry date").fill("12/39")
    page.get_by_label("Security code").fill("123")


def state(page: Page) -> str | None:
    return page.locator("main").get_attribute("data-state")


def test_a_card_is_charged_by_clicking(page: Page, shop: Backend) -> None:
    placed = shop.order(1)
    page.goto(placed["checkout_url"])
    expect(page.get_by_text('<script>alert(1)</script> | "x"')).to_be_visible()
    fill(page, GOOD)
    page.get_by_role("button", name="Pay 4.50 EUR").click()
    expect(page.get_by_role("heading", name="Payment received")).to_be_visible()
    assert page.url.startswith(shop.base_url + "/shop/return?")
    assert shop.read(placed["order"]["id"])["status"] == "completed"


def test_a_declined_card_is_followed_by_a_good_one(page: Page, shop: Backend) -> None:
    placed = shop.order()
    page.goto(placed["checkout_url"])
    fill(page, DECLINED)
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_role("alert")).to_contain_text("The card was declined by its bank.")
    expect(page.get_by_role("alert")).to_be_focused()
    page.get_by_role("button", name="Fill in 4242").click()
    page.get_by_role("button", name="Pay 5.00 EUR").click()
    expect(page.get_by_role("heading", name="Payment received")).to_be_visible()
    assert shop.books()["charges"] == 1


@pytest.mark.parametrize(("button", "then"), [("Complete", "completed"), ("Reject", "pending_payment")])
def test_the_bank_asks(page: Page, shop: Backend, button: str, then: str) -> None:
    placed = shop.order()
    page.goto(placed["checkout_url"])
    fill(page, CHALLENGED)
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_role("heading", name="Confirm with your bank")).to_be_visible()
    page.get_by_role("button", name=button).click()
    after = "Payment received" if button == "Complete" else "The payment was declined"
    expect(page.get_by_role("heading", name=after)).to_be_visible()
    assert shop.read(placed["order"]["id"])["status"] == then


def test_a_wrong_field_is_said_beside_it_before_anything_is_sent(page: Page, shop: Backend) -> None:
    page.goto(shop.order()["checkout_url"])
    fill(page, "4242424242424241")
    page.get_by_label("Security code").fill("1")
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_label("Card number")).to_be_focused()
    expect(page.locator("#card_number-error")).to_have_text("This is not a card number; check its digits.")
    assert page.get_by_label("Card number").get_attribute("aria-invalid") == "true"
    assert "card_number-error" in (page.get_by_label("Card number").get_attribute("aria-describedby") or "")
    page.get_by_label("Card number").fill(GOOD)
    expect(page.locator("#card_number-error")).to_have_text("")
    expect(page.locator("#cvc-error")).not_to_have_text("")
    assert shop.lines()[-1]["method"] == "GET"


def test_the_keyboard_is_enough(page: Page, shop: Backend) -> None:
    page.goto(shop.order()["checkout_url"])
    page.keyboard.press("Tab")
    expect(page.get_by_label("Card number")).to_be_focused()
    ring = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert float(ring.removesuffix("px")) >= 2
    page.keyboard.type(GOOD)
    expect(page.get_by_label("Card number")).to_have_value("4242 4242 4242 4242")
    page.keyboard.press("Tab")
    page.keyboard.type("1239")
    expect(page.get_by_label("Expiry date")).to_have_value("12/39")
    page.keyboard.press("Tab")
    page.keyboard.type("123")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Payment received")).to_be_visible()


def test_a_second_click_while_it_pays_does_nothing(page: Page, shop: Backend) -> None:
    page.goto(shop.order()["checkout_url"])
    fill(page, GOOD)
    sent: list[str] = []

    def hold(route: Route) -> None:
        # "No content" leaves the browser on the page, as an answer does that takes long.
        sent.append(route.request.method)
        route.fulfill(status=204)

    page.route("**/payment_link/**", hold)
    page.evaluate("() => { const pay = document.getElementById('pay'); pay.click(); pay.click(); }")
    expect(page.get_by_role("button", name="Paying…")).to_have_attribute("aria-disabled", "true")
    expect(page.locator("#progress")).to_have_text("Your payment is on its way. Please wait.")
    assert sent == ["POST"]


def test_the_countdown_runs_and_ends_with_the_link(page: Page, shop: Backend) -> None:
    placed = shop.order()
    page.clock.install()
    page.goto(placed["checkout_url"])
    expect(page.locator("#countdown")).to_have_text("14 min 59 s")
    shop.settle(15 * 60)
    page.clock.fast_forward("15:00")
    expect(page.get_by_role("heading", name="This payment link has expired")).to_be_visible()


def test_it_works_without_javascript(browser: Browser, shop: Backend) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(shop.order()["checkout_url"])
    fill(page, CHALLENGED)
    page.get_by_role("button", name="Pay").click()
    page.get_by_role("button", name="Complete").click()
    expect(page.get_by_role("heading", name="Payment received")).to_be_visible()
    context.close()
    assert shop.books()["charges"] == 1


def test_a_buyer_goes_back_to_the_shop(page: Page, shop: Backend) -> None:
    placed = shop.order()
    page.goto(placed["checkout_url"])
    page.get_by_role("button", name="Cancel and go back to the shop").click()
    expect(page.get_by_role("heading", name="Payment not received")).to_be_visible()
    page.goto(placed["checkout_url"])
    page.get_by_role("link", name="Go back to the shop").click()
    expect(page.get_by_text("You can close this page and go back to the terminal.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_everything_fits(browser: Browser, shop: Backend, scheme: Scheme) -> None:
    page = browser.new_page(viewport=PHONE, color_scheme=scheme)
    page.goto(shop.order(1)["checkout_url"])
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    for button in page.get_by_role("button").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 24
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
    shades = page.evaluate("getComputedStyle(document.querySelector('main')).backgroundColor")
    assert (shades == "rgb(255, 255, 255)") == (scheme == "light")
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("card", [None, "4242424242424241", DECLINED, CHALLENGED, GOOD])
def test_axe_finds_nothing_of_level_a_or_aa(browser: Browser, shop: Backend, scheme: Scheme, card: str | None) -> None:
    page = browser.new_page(viewport=DESK, color_scheme=scheme)
    page.goto(shop.order(1)["checkout_url"])
    if card is not None:
        fill(page, card)
        page.get_by_role("button", name="Pay").click()
        page.wait_for_load_state()
    levels = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found = Axe().run(page, options={"preload": False, "runOnly": {"type": "tag", "values": levels}})
    page.close()
    assert len(found.response["passes"]) >= 10
    assert found.response["violations"] == [], found.generate_report()
