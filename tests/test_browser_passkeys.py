"""Passkeys in a real browser with a virtual device (Chrome DevTools, WebAuthn): added, used, removed, refused."""

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from digest.app import App, open_app
from digest.config import Config
from tests import browser_kit, web_kit

pytestmark = pytest.mark.browser


@pytest.fixture
def site(
    make_config: Callable[[str], Config], monkeypatch: pytest.MonkeyPatch
) -> Iterator[browser_kit.Served]:
    """At a name: browsers make no passkey for a number. Its port listens on loopback alone."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        monkeypatch.setenv("DIGEST_LIST__URL", f"http://localhost:{door.getsockname()[1]}")
        with (
            open_app(make_config(web_kit.SOURCES)) as app,
            browser_kit.served(app, door=door) as running,
        ):
            yield running


class Sitter:
    """One browser with one virtual device. complaints: what the console said."""

    def __init__(self, app: App, browser: Any, **context: Any) -> None:
        self.app, self.url = app, app.config.list.url
        self.context = browser.new_context(**context)
        self.context.set_default_timeout(15_000)
        self.page, self.complaints = self.context.new_page(), list[str]()
        self.page.on(
            "console", lambda line: self.complaints.append(line.text) if line.type == "error" else None
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.wire = self.context.new_cdp_session(self.page)
        self.wire.send("WebAuthn.enable")
        self.device = self._plug_in()

    def _plug_in(self) -> str:
        options = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
            "isUserVerified": True, "automaticPresenceSimulation": True,
        }  # fmt: skip
        return str(
            self.wire.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]
        )

    def touches(self, willing: bool) -> None:
        """Whether somebody stands there to touch the device; nobody: it waits."""
        self.wire.send("WebAuthn.setAutomaticPresenceSimulation",
                       {"authenticatorId": self.device, "enabled": willing})  # fmt: skip

    def held(self) -> list[dict[str, Any]]:
        return list(
            self.wire.send("WebAuthn.getCredentials", {"authenticatorId": self.device})["credentials"]
        )

    def takes(self, keys: list[dict[str, Any]]) -> None:
        for key in keys:
            self.wire.send("WebAuthn.addCredential", {"authenticatorId": self.device, "credential": key})

    def goes_to(self, path: str) -> None:
        self.page.goto(self.url + path)

    def by_link(self, who: str = "dana@example.org") -> None:
        self.page.goto(web_kit.sign_in_link(self.app, who))
        self.clicks("main button")

    def clicks(self, what: str) -> None:
        with self.page.expect_navigation():
            self.page.locator(what).first.click()

    def adds(self, name: str, prefix: str = "") -> None:
        self.goes_to(f"{prefix}/desk/you")
        self.page.locator("#passkey #name").fill(name)
        self.clicks("#passkey button")

    def signs_out(self) -> None:
        self.clicks("form[action$='/desk/sign-out'] button")

    def leaves(self) -> None:
        browser_kit.close(self.context)


@pytest.fixture
def dana(site: browser_kit.Served, browser: Any) -> Iterator[Sitter]:
    sitter = Sitter(site.app, browser, viewport=browser_kit.DESKTOP)
    sitter.by_link()
    yield sitter
    sitter.leaves()


def test_a_passkey_is_added_opens_the_desk_and_once_removed_does_not(dana: Sitter) -> None:
    dana.adds("Blue phone")
    page = dana.page
    assert "The passkey is added" in page.get_by_role("status").inner_text()
    assert page.get_by_role("heading", name="Blue phone").is_visible()
    assert [key["rpId"] for key in dana.held()] == ["localhost"]
    assert [key["isResidentCredential"] for key in dana.held()] == [True]

    dana.touches(False)  # else the offer in the field of the address would be taken at once
    dana.signs_out()
    dana.goes_to("/desk/")
    assert page.get_by_role("button", name="Mail me a link").is_visible()
    button = page.get_by_role("button", name="Sign in with a passkey")
    button.wait_for()
    dana.touches(True)
    with page.expect_navigation():
        button.click()
    page.goto(f"{dana.url}/desk/you")
    assert "With a passkey" in page.locator("main").inner_text()
    assert "last used" in page.locator("main").inner_text()

    keys = dana.held()
    dana.clicks("form[action$='/remove'] button")
    assert "opens nothing any more" in page.get_by_role("status").inner_text()
    dana.adds("Another", "/fr")  # the door speaks of passkeys while anybody has one
    dana.wire.send("WebAuthn.clearCredentials", {"authenticatorId": dana.device})
    dana.takes(keys)
    dana.touches(False)
    dana.signs_out()
    dana.goes_to("/desk/")
    button.wait_for()
    dana.touches(True)
    with page.expect_navigation():
        button.click()
    assert "This passkey was not accepted" in page.get_by_role("alert").first.inner_text()
    assert page.get_by_role("button", name="Mail me a link").is_visible()
    page.goto(f"{dana.url}/desk/you")
    assert page.url == f"{dana.url}/desk/"
    assert [line for line in dana.complaints if "403" not in line] == []


def test_the_browser_offers_the_passkey_beside_the_field_of_the_address(dana: Sitter) -> None:
    dana.adds("Blue phone")
    dana.signs_out()
    with dana.page.expect_navigation(url="**/desk/"):
        dana.goes_to("/desk/")
    dana.page.get_by_role("button", name="Sign out").wait_for()  # the device said yes for its owner
    assert dana.complaints == []


def test_cancelling_says_so_and_changes_nothing(dana: Sitter) -> None:
    page = dana.page
    dana.wire.send("WebAuthn.setUserVerified", {"authenticatorId": dana.device, "isUserVerified": True})
    dana.adds("Blue phone")
    page.locator("#passkey #name").fill("The same again")
    page.locator("#passkey button").click()
    page.get_by_role("alert").filter(has_text="has a passkey of yours already").wait_for()
    assert len(dana.held()) == 1
    dana.wire.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": dana.device})
    page.evaluate(
        "() => { navigator.credentials.create = async () => { throw new DOMException('', 'NotAllowedError') } }"
    )
    page.locator("#passkey button").click()
    page.get_by_role("alert").filter(has_text="Nothing was added").wait_for()
    assert page.locator("#passkey button").is_enabled()


def test_an_answer_for_another_page_is_refused_by_the_browser_or_by_us(
    site: browser_kit.Served, browser: Any, dana: Sitter
) -> None:
    """The same site by its number: the browser makes no answer there, and the page says what is wrong with the address."""
    dana.adds("Blue phone")
    other = browser.new_context()
    page = other.new_page()
    page.goto(f"{site.url}/desk/")  # http://127.0.0.1:port, where the config says localhost
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_role("alert").filter(has_text="could not do this here").wait_for()
    browser_kit.close(other)


def test_without_javascript_the_link_is_all_there_is(
    site: browser_kit.Served, browser: Any, dana: Sitter
) -> None:
    dana.adds("Blue phone")
    plain = browser.new_context(java_script_enabled=False)
    page = plain.new_page()
    page.goto(f"{dana.url}/desk/")
    assert page.get_by_role("button").all_inner_texts() == ["Mail me a link"]
    page.goto(web_kit.sign_in_link(site.app))
    with page.expect_navigation():
        page.locator("main button").click()
    page.goto(f"{dana.url}/desk/you")
    assert "This browser cannot add a passkey" in page.locator("main").inner_text()
    with page.expect_navigation():
        page.get_by_role("button", name="Remove the passkey Blue phone").click()
    assert "removed" in page.get_by_role("status").inner_text()
    browser_kit.close(plain)


@pytest.mark.parametrize("prefix", ["", "/fr"])
@pytest.mark.parametrize(("size", "scheme"), [("phone", "light"), ("desktop", "dark")])
def test_axe_finds_nothing_on_the_pages_of_passkeys(
    site: browser_kit.Served, browser: Any, prefix: str, size: str, scheme: str
) -> None:
    viewport = {"phone": browser_kit.PHONE, "desktop": browser_kit.DESKTOP}[size]
    sitter = Sitter(site.app, browser, viewport=viewport, color_scheme=scheme)
    sitter.by_link()
    sitter.adds("Blue phone", prefix)
    found = browser_kit.faults(sitter.page)
    sitter.touches(False)
    sitter.signs_out()
    sitter.goes_to(f"{prefix}/desk/")
    sitter.page.locator("#passkey button").wait_for()
    found += browser_kit.faults(sitter.page)
    width = sitter.page.evaluate("document.documentElement.scrollWidth")
    sitter.leaves()
    assert found == []
    assert width <= viewport["width"]
