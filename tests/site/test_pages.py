"""The site as people see it: in Chromium, from the file system, in both modes, on a phone, on paper."""

from __future__ import annotations

import json
import mimetypes
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from front_door import Shell
from playwright.sync_api import Browser, Page, Route, expect, sync_playwright
from pypdf import PdfReader
from surroundings import PATIENCE
from ten_sessions import DRY_RUN, HOSTILE, Sessions

from veza_e2e.evidence import summarise
from veza_e2e.journal import read
from veza_e2e.site.policy import headers
from veza_e2e.site.releases import ids_of

pytestmark = [pytest.mark.process, pytest.mark.real_clock]

Scheme: TypeAlias = Literal["light", "dark"]
PAGES = ("home", "archive", "session", "failed session", "live report", "release", "go/no-go", "month")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with watched(browser) as page:
        yield page


class watched:  # noqa: N801 - reads as a word where it is used
    """A page that may not complain, nor ask for anything that is not a file of the site."""

    def __init__(self, browser: Browser, **options: Any) -> None:
        self.page = browser.new_page(**options)
        self.page.set_default_timeout(PATIENCE * 1000)
        self.complaints: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self._asked(request.url))

    def _asked(self, url: str) -> None:
        if urlsplit(url).scheme not in {"file", "data", "about", "blob"} and urlsplit(url).hostname != "site.test":
            self.complaints.append(url)

    def __enter__(self) -> Page:
        return self.page

    def __exit__(self, *_: object) -> None:
        self.page.close()
        assert self.complaints == []


@pytest.fixture(scope="session")
def urls(site: Path, sessions: Sessions) -> dict[str, str]:
    def session(name: str) -> str:
        return "/".join(("archive/payment-e2e", *sessions.folders[name].parts[-3:], "index.html"))

    pages = {
        "home": "index.html",
        "archive": "archive/payment-e2e/index.html",
        "session": session("rehearsed live"),
        "failed session": session("license"),
        "real session": session("passed"),
        "live report": "live-report.html",
        "release": "releases/live.html",
        "go/no-go": "go-no-go.html",
        "month": "archive/payment-e2e/2026/05/index.html",
        "recording": "archive/payment-e2e/recorded/rehearsals/refund/index.html",
        "example": "example.html",
        "docs": "sdk/first-steps.html",
    }
    return {name: (site / path).as_uri() for name, path in pages.items()}


FOLLOW_EVERY_LINK = """async () => {
  const found = [];
  for (const link of document.querySelectorAll("article table a[href^='#event-']")) {
    for (const fold of document.querySelectorAll("details")) fold.open = false;
    location.hash = "";
    link.click();
    await new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)));
    const target = document.querySelector(link.getAttribute("href"));
    const place = target.getBoundingClientRect();
    const seen = place.height > 0 && place.bottom > 0 && place.top < innerHeight;
    found.push([link.getAttribute("href"), target.innerText.split(" ")[0], seen]);
  }
  return found;
}"""


def test_every_trace_link_lands_on_its_event(page: Page, urls: dict[str, str]) -> None:
    page.goto(urls["real session"])
    followed = page.evaluate(FOLLOW_EVERY_LINK)
    assert len(followed) > 60
    assert [link for link in followed if link != [link[0], link[0].removeprefix("#event-"), True]] == []


def test_a_link_into_the_record_opens_the_call(page: Page, urls: dict[str, str]) -> None:
    page.goto(urls["real session"])
    page.locator("article table a", has_text="createOrder 201").first.click()
    call = page.locator("details.veza-call[open]")
    expect(call).to_have_count(1)
    expect(call.locator("pre").first).to_be_visible()
    expect(call).to_contain_text("POST /api/v1/orders → 201")
    expect(call).to_contain_text("request id")


def test_a_call_is_copied_as_curl(browser: Browser, urls: dict[str, str]) -> None:
    with watched(browser) as page:
        page.goto(urls["real session"])
        login = page.locator("details.veza-call", has_text="POST /api/v1/auth/login").first.get_attribute("id")
        page.goto(f"{urls['real session']}#{login}")
        page.locator("details.veza-call[open] .veza-copy").click()
        expect(page.locator("details.veza-call[open] .veza-copy")).to_have_text("Copied")
        page.evaluate("document.body.append(Object.assign(document.createElement('textarea'), {id: 'paste'}))")
        page.locator("#paste").focus()
        page.keyboard.press("Control+V")
        pasted = page.locator("#paste").input_value()
        assert pasted.startswith("curl -X POST http://127.0.0.1:")
        assert "$OPERATOR_PASSWORD" in pasted


def test_the_waterfall_links_into_the_record(page: Page, urls: dict[str, str]) -> None:
    page.goto(urls["real session"])
    bars = page.locator(".veza-waterfall a")
    assert bars.count() >= 15
    bars.nth(3).click()
    assert re.search(r"#event-[0-9]+$", page.url)
    expect(page.locator(urlsplit(page.url).fragment and f"#{urlsplit(page.url).fragment}")).to_be_in_viewport()


def test_the_money_flow_shows_what_was_seen(page: Page, urls: dict[str, str]) -> None:
    page.goto(urls["real session"])
    flow = page.locator(".veza-flow")
    for amount in ("charged 5.00 EUR", "refunded 5.00 EUR", "to the seller 4.50 EUR", "platform fee 0.50 EUR"):
        expect(flow).to_contain_text(amount)
    page.goto(urls["failed session"])
    expect(flow).to_contain_text("refunded not seen")
    expect(flow).to_contain_text("to the seller not seen")


def test_a_hostile_title_is_text(page: Page, urls: dict[str, str]) -> None:
    page.goto(urls["session"])
    shown = HOSTILE.replace("\n", "⏎")
    told = page.get_by_role("region", name="Product, order and ids")
    expect(told.get_by_role("cell", name=shown, exact=True)).to_be_visible()
    assert page.locator("article script").count() == 0


def test_filters_work_without_a_server(page: Page, urls: dict[str, str], sessions: Sessions) -> None:
    page.goto(urls["archive"])
    rows, status = page.locator(".veza-sessions tbody tr"), page.get_by_role("status")
    expect(rows).to_have_count(12)
    expect(status).to_have_text("12 sessions")
    starts = rows.locator("td:first-child").all_inner_texts()
    assert starts == sorted(starts, reverse=True), "the newest first"
    page.get_by_label("Outcome").select_option("failed")
    expect(rows).to_have_count(5)
    page.get_by_label("Release").select_option("with license")
    expect(status).to_have_text("1 session of 12 in all")
    rows.get_by_role("link").click()
    page.wait_for_url("**/index.html")
    page.go_back()
    expect(status).to_have_text("1 session of 12 in all")
    expect(page.get_by_label("Release")).to_have_value("with license")
    page.reload()
    expect(status).to_have_text("1 session of 12 in all")
    page.go_back()
    expect(page.get_by_label("Release")).to_have_value("")
    expect(status).to_have_text("5 sessions of 12 in all")
    page.get_by_role("button", name="Show all").click()
    expect(rows).to_have_count(12)
    lines = read(sessions.folders["transfers"] / "journal.jsonl").lines
    summary = summarise(lines)
    found = (summary.order_id, summary.payment_id, summary.refund_id, summary.session, *ids_of(lines)[-1:])
    for identifier in filter(None, found):
        page.get_by_label("Any id").fill(str(identifier).upper())
        expect(rows).to_have_count(1)
    rows.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("release with transfers")
    page.go_back()
    expect(rows).to_have_count(1)


MANY = """(() => {
  const row = (n) => [`p/${n}`, `S${n}`, "2026", "passed", "test", "PENDING", "m", `2026.${n % 12}`, "e", `pay_${n}`];
  window.vezaSessions = Array.from({ length: 3000 }, (_, n) => row(n));
})();"""


def test_three_thousand_sessions_are_paged_and_filtered_at_once(browser: Browser, urls: dict[str, str]) -> None:
    with watched(browser) as page:
        page.route("**/sessions.js", lambda route: route.fulfill(body=MANY, content_type="text/javascript"))
        page.goto(urls["archive"])
        status, rows = page.get_by_role("status"), page.locator(".veza-sessions tbody tr")
        expect(status).to_have_text("Sessions 1 to 25 of 3000")
        options = page.get_by_label("Release").locator("option").all_inner_texts()
        assert options[1:] == [f"2026.{n}" for n in range(12)], "in natural order"
        page.get_by_label("Page 120").click()
        expect(status).to_have_text("Sessions 2976 to 3000 of 3000")
        page.get_by_label("Release").select_option("2026.3")
        expect(status).to_have_text("Sessions 1 to 25 of 250, of 3000 in all")
        page.get_by_label("Page 10").click()
        page.reload()
        expect(status).to_have_text("Sessions 226 to 250 of 250, of 3000 in all")
        page.go_back()
        expect(status).to_have_text("Sessions 1 to 25 of 250, of 3000 in all")
        page.get_by_label("Any id").fill("pay_299")
        expect(rows).to_have_count(1)
        page.get_by_label("Any id").fill("nothing like it")
        expect(status).to_have_text("No session matches, of 3000 in all.")


@pytest.mark.parametrize("what", ["order_id", "payment_id", "session"])
def test_the_search_finds_a_session_by_its_ids(page: Page, urls: dict[str, str], sessions: Sessions, what: str) -> None:
    summary = summarise(read(sessions.folders["passed"] / "journal.jsonl").lines)
    page.goto(urls["home"])
    page.get_by_role("textbox", name="Search").click()
    # At once: a half id that ends in a hyphen is no query, and the search says so on the console if it gets to it.
    page.keyboard.insert_text(getattr(summary, what))
    page.keyboard.press("End")
    page.locator(f'.md-search-result__link[href$="#{summary.session}"]').click()
    page.wait_for_url(f"**/{summary.session}/index.html")
    expect(page.get_by_role("heading", level=1)).to_contain_text("release with passed")


def test_the_live_report_pairs_the_runs_and_links_to_evidence(page: Page, urls: dict[str, str]) -> None:
    page.goto(urls["release"])
    expect(page.locator(".veza-block")).to_have_count(2)
    expect(page.locator(".veza-block").first).to_contain_text("01KQPH1RM0DRY0000000000000")
    expect(page.get_by_role("region", name="Receipt")).to_contain_text("Refunded")
    items = page.locator("article table").filter(has_text="Acceptance item").locator("tbody tr")
    expect(items).to_have_count(9)
    expect(items.nth(6)).to_contain_text(re.compile(r"[0-9]+ requestRefund 202 .*\+[0-9]+ more"))
    items.nth(6).get_by_role("link").first.click()
    expect(page.locator(f"#{urlsplit(page.url).fragment}")).to_be_in_viewport()


def test_the_board_says_how_long_a_statement_still_has(page: Page, urls: dict[str, str]) -> None:
    page.goto(urls["home"])
    card = page.locator(".veza-card").filter(has=page.get_by_role("link", name="2026.05", exact=True))
    expect(card).to_contain_text("between 2026-05-11 and 2026-05-13")
    expect(card.get_by_role("button", name="Copy veza-e2e --env prod bank")).to_be_visible()
    for day, said in (("2026-05-10", "due in 3 days"), ("2026-05-13", "due today"), ("2026-05-14", "late")):
        page.clock.set_fixed_time(f"{day}T12:00:00Z")
        page.reload()
        expect(card.locator(".veza-due")).to_have_text(said)
    page.clock.set_fixed_time("2026-05-19T12:00:00Z")
    page.goto(urls["go/no-go"])
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="2026.05", exact=True))
    expect(row.locator(".veza-due")).to_have_text("OVERDUE")
    rehearsed = page.get_by_role("row").filter(has=page.get_by_role("link", name="live", exact=True))
    expect(rehearsed.locator(".veza-due")).to_have_count(0)
    page.goto(urls["archive"])
    page.get_by_role("link", name="01KQS3EFM000000000000000CC").click()
    expect(page.locator(".veza-head .veza-due")).to_have_text("OVERDUE")


def test_light_and_dark_can_be_switched(page: Page, urls: dict[str, str]) -> None:
    page.goto(urls["session"])
    body = page.locator("body")
    expect(body).to_have_attribute("data-md-color-scheme", "default")
    page.get_by_title("Switch to dark").click()
    expect(body).to_have_attribute("data-md-color-scheme", "slate")


def test_an_event_leads_back_to_what_it_bears_out_and_a_receipt_is_copied(
    browser: Browser, urls: dict[str, str]
) -> None:
    with watched(browser) as page:
        page.goto(urls["real session"])
        page.locator("#step-3").get_by_role("link", name="createOrder 201").click()
        call = page.locator("details.veza-call[open]")
        expect(call.locator("small")).to_contain_text("bears out 3. Place the order, The amount is the one agreed to")
        call.get_by_role("link", name="3. Place the order").click()
        assert page.url.endswith("#step-3")
        expect(page.locator("#step-3")).to_be_in_viewport()
        more = page.locator("#item-amount_matches summary")
        expect(more).to_have_text(re.compile(r"^\+[0-9]+ more$"))
        button = page.get_by_role("region", name="Receipt").get_by_role("button", name=re.compile("^Copy pay_")).first
        button.click()
        expect(button).to_have_text("Copied")
        page.get_by_role("link", name="The run before", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Payment walkthrough · rehearsal")
        assert page.url != urls["real session"]
        page.goto(urls["session"])
        differs = page.get_by_role("region", name="Compared with its dry-run").get_by_role("row")
        expect(differs.filter(has_text="Product")).to_contain_text("Night Drive (single)")
        page.get_by_role("link", name="Its dry-run", exact=True).click()
        expect(page).to_have_url(re.compile(DRY_RUN["session"]))
        page.get_by_role("link", name="Release live").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("PAYMENT_E2E_LIVE_REPORT · live")


def test_paper_is_light_has_every_column_and_a_summary_of_two_pages(browser: Browser, urls: dict[str, str]) -> None:
    with watched(browser, color_scheme="dark") as page:
        page.goto(urls["real session"])
        expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.locator(".veza-record details:not([open])").count() == 0
        expect(page.locator("details.veza-call pre").first).to_be_visible()
        expect(page.locator(".md-header")).to_be_hidden()
        looks = "(e) => [getComputedStyle(e).color, getComputedStyle(document.body).backgroundColor]"
        assert page.locator(".veza-money").evaluate(looks) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
        pages = [re.sub(r"\s+", " ", sheet.extract_text()) for sheet in PdfReader(BytesIO(page.pdf())).pages]
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.locator(".veza-record details[open]").count() == 0
    (annex,) = [number for number, text in enumerate(pages) if text.startswith("Timeline")]
    assert annex <= 2
    summary = " ".join(pages[:annex])
    for part in (
        "Decision", "Due", "What Amount Date Id Witness Evidence", "Step Status Observed Evidence",
        "Item Status Why Evidence", "9. Refunded, license revoked", "The bank statement shows the refund",
    ):  # fmt: skip
        assert part in summary


def test_a_session_is_mailed_as_one_file_that_asks_for_nothing(
    browser: Browser, sessions: Sessions, tmp_path: Path
) -> None:
    session, shell = sessions.folders["passed"].name, Shell(tmp_path)
    made = shell("--archive", str(sessions.root), "--json", "render", session, "--single-file", "mailed.html")
    assert made.code == 0, made.stderr
    shown = shell("--archive", str(sessions.root), "--json", "show", session).json
    with watched(browser, color_scheme="dark", viewport={"width": 390, "height": 844}) as page:
        page.goto((tmp_path / "mailed.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        inside = json.loads(page.locator("#veza-json").inner_text())
        assert {**inside, "paths": None} == {**shown, "paths": None}
        page.emulate_media(media="print")
        sheets = [sheet.extract_text() for sheet in PdfReader(BytesIO(page.pdf())).pages]
        assert next(number for number, text in enumerate(sheets) if text.startswith("Timeline")) <= 2
        page.emulate_media(media="screen")
        page.locator("#step-3").get_by_role("link", name="createOrder 201").click()
        expect(page.locator("details.veza-call[open]")).to_contain_text("POST /api/v1/orders → 201")
        assert broken_rules(page) == []


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_is_wide_enough(browser: Browser, urls: dict[str, str], name: str) -> None:
    with watched(browser, viewport={"width": 390, "height": 844}) as page:
        page.goto(urls[name])
        assert page.evaluate("document.documentElement.scrollWidth") == 390


AXE = {
    "preload": False,
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
}
COLOURS = {"preload": False, "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""What can differ in the dark, where nothing else does."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_of_wcag_a_or_aa_is_broken(browser: Browser, urls: dict[str, str], width: int, scheme: Scheme) -> None:
    with watched(browser, color_scheme=scheme, viewport={"width": width, "height": 900}) as page:
        for name in (*PAGES, "recording", "example", "docs"):
            page.goto(urls[name])
            assert broken_rules(page, AXE if scheme == "light" else COLOURS) == [], name


def broken_rules(page: Page, options: dict[str, object] = AXE) -> list[tuple[str, list[str]]]:
    """Return the rules of WCAG A and AA that a page breaks, with all folds open, and where."""
    page.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
    found = Axe().run(page, options=options).response["violations"]
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]


def test_a_strict_policy_is_kept_by_every_kind_of_page(browser: Browser, site: Path, urls: dict[str, str]) -> None:
    """Served with the headers that the build wrote; a violation is a message on the console."""
    strict = headers(site)
    assert "unsafe-inline" not in strict["Content-Security-Policy"]

    def serve(route: Route) -> None:
        path = site / urlsplit(route.request.url).path.lstrip("/")
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        route.fulfill(body=path.read_bytes(), headers=strict, content_type=kind)

    with watched(browser) as page:
        page.route("http://site.test/**", serve)
        for url in urls.values():
            page.goto(url.replace(site.as_uri(), "http://site.test"))
            expect(page.get_by_role("heading", level=1).first).to_be_visible()
        page.get_by_role("textbox", name="Search").press_sequentially("webhook")  # the theme listens to keys
        expect(page.locator(".md-search-result__link").first).to_be_visible(
            timeout=PATIENCE * 1000
        )  # a worker reads the index
    page = browser.new_page()
    page.route("http://site.test/**", serve)
    page.goto("http://site.test/index.html")
    with page.expect_console_message(lambda message: "Content Security Policy" in message.text):
        page.evaluate(
            "document.body.append(Object.assign(document.createElement('script'), {text: 'window.stranger = 1'}))"
        )
    assert page.evaluate("window.stranger") is None
    page.close()


def test_paper_has_every_column_in_light(browser: Browser, urls: dict[str, str]) -> None:
    with watched(browser, color_scheme="dark") as page:
        for name, columns in (
            ("go/no-go", ("Release", "Decision", "Reason", "EX-9", "Due", "Next", "bank statement between")),
            ("archive", ("Began (UTC)", "Outcome", "Funds", "Decision", "Money", "Release", "Environment", "Session")),
            ("release", ("Acceptance item", "Dry-run", "Live run", "Evidence of the live run")),
        ):
            page.goto(urls[name])
            text = " ".join(sheet.extract_text() for sheet in PdfReader(BytesIO(page.pdf(format="A4"))).pages)
            told = " ".join(text.split())
            assert [column for column in columns if column not in told] == [], name


PAINTED = """() => [document.body, ...document.querySelectorAll("article *")].map((element) => {
  const style = getComputedStyle(element);
  const names = ["color", "backgroundColor", "borderTopColor", "fill", "stroke"];
  return [element.tagName, ...names.map((name) => style[name])].join(" ");
})"""


def test_paper_from_dark_is_paper_from_light(browser: Browser, urls: dict[str, str]) -> None:
    for name in ("home", "release", "real session"):
        seen = {}
        for scheme in ("light", "dark"):
            with watched(browser, color_scheme=scheme) as page:
                page.emulate_media(media="print")
                page.goto(urls[name])
                seen[scheme] = page.evaluate(PAINTED)
        differing = [pair for pair in zip(seen["light"], seen["dark"], strict=True) if pair[0] != pair[1]]
        assert differing == [], name
        assert seen["dark"][0].endswith("rgb(255, 255, 255) rgb(0, 0, 0) rgb(0, 0, 0) none"), seen["dark"][0]


def test_a_trace_link_works_without_scripts(browser: Browser, urls: dict[str, str]) -> None:
    with watched(browser, java_script_enabled=False) as page:
        page.goto(urls["real session"])
        page.locator('article table a[href="#event-20"]').first.click()
        expect(page.locator("#event-20")).to_be_in_viewport()
