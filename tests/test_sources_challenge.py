"""Pages that ask for proof of a human are told from the ordinary pages that the same products merely watch."""

import pytest

from digest.sources._page import is_challenge


def page(title: str, body: str = "", head: str = "") -> bytes:
    return (
        f"<!doctype html><html><head><title>{title}</title>{head}</head><body>{body}</body></html>".encode()
    )


JSD = (
    "<script>a.src='/cdn-cgi/challenge-platform/scripts/jsd/main.js';window.__CF$cv$params={r:'8f'}</script>"
)
JSD_NEW = "<script>a.src='/cdn-cgi/challenge-platform/h/g/scripts/jsd/5c5d/main.js'</script>"
EVENTS = '<script type="application/ld+json">{"@type":"Event","name":"Hack night","startDate":"2026-12-01T18:00"}</script>'


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (page("Just a moment..."), {}),
        (page("Un instant…"), {}),
        (page("Attention Required! | Cloudflare"), {}),
        (page("x", "<script>window._cf_chl_opt={cvId:'3'}</script>"), {}),
        (
            page(
                "x", "<script src='/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1?ray=9'></script>"
            ),
            {},
        ),
        (page("&nbsp;", '<div id="sec-if-cpt-container"></div>'), {}),
        (page("Access Denied", "You don't have permission. Reference #18.df"), {}),
        (page("Pardon Our Interruption"), {}),
        (
            page("", '<iframe id="main-iframe" src="/_Incapsula_Resource?SWUDNSAI=31&amp;xinfo=8"></iframe>'),
            {},
        ),
        (page("Making sure you&#39;re not a bot!", '<script id="anubis_version">"v1.17"</script>'), {}),
        (page("Client Challenge"), {}),
        (page("", "<script src='https://ct.captcha-delivery.com/c.js'></script>"), {}),
        (page("", "<script>window.awsWafCookieDomainList = [];window.gokuProps = {}</script>"), {}),
        (page("", '<div id="px-captcha"></div>'), {}),
        (
            b"<html><head><meta http-equiv=refresh content='0;/.well-known/sgcaptcha/?r=%2Ffeed'></head></html>",
            {},
        ),
        (b"anything", {"cf-mitigated": "challenge"}),
        (b"anything", {"x-vercel-mitigated": "challenge"}),
        (b"anything", {"sg-captcha": "challenge"}),
        (b"", {"x-amzn-waf-action": "captcha"}),
    ],
)
def test_a_page_that_wants_proof_of_a_human_is_known(body: bytes, headers: dict[str, str]) -> None:
    assert is_challenge(body, headers)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (page("Hack nights", EVENTS + JSD), {}),
        (page("Hack nights", EVENTS + JSD_NEW), {}),
        (page("Hack nights", EVENTS), {"x-datadome": "protected"}),
        (
            page("Hack nights", EVENTS, "<script>window.awsWafCookieDomainList = ['.example.org']</script>"),
            {},
        ),
        (page("Hack nights", EVENTS, "<script src='/_Incapsula_Resource?SWJIYLWA=719d34d3'></script>"), {}),
        (page("Access denied: who is left out of online services"), {}),
        (page("Security check-list for municipalities"), {}),
        (page("Please wait for the bus: a service design story"), {}),
        (page("Just a moment of your time: our survey"), {}),
        (b"<rss><channel><title>Just a moment...</title></channel></rss>", {}),
    ],
)
def test_an_ordinary_page_behind_the_same_product_is_read(body: bytes, headers: dict[str, str]) -> None:
    assert not is_challenge(body, headers)
