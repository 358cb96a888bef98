"""Web addresses: which may be shown, what is mere tracking, and when two are the same page. Nothing is asked of the network."""

import re
from functools import lru_cache
from unicodedata import normalize
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

import idna

_REGISTRIES = frozenset(
    {"com", "net", "org", "gov", "gob", "edu", "asn", "mil", "nom", "ltd", "plc", "sch", "gouv", "asso"}
)
LONGEST = 2_000

_TRACKING_PREFIXES = (
    "utm_",
    "mtm_",
    "pk_",
    "piwik_",
    "hsa_",
    "oly_",
    "vero_",
    "stm_",
    "itm_",
    "at_custom",
    "ga_",
)
_TRACKING_NAMES = """
  fbclid gclid gclsrc dclid gbraid wbraid msclkid yclid twclid ttclid li_fat_id igshid igsh mc_cid mc_eid _hsenc
  _hsmi hsctatracking mkt_tok vgo_ee ck_subscriber_id sc_cid s_cid ncid cmpid _openstat wickedid rb_clickid
  srsltid epik guccounter guce_referrer guce_referrer_sig spm share_id sharedid sr_share __s _ga _gl trk trkinfo
  aff_platform aff_trace_key redircnt redirectlogged ref_src ref_url xtor mibextid eid_source cvid oicd zanpid
"""
_TRACKING = frozenset(_TRACKING_NAMES.split())
_MEDIUM_TRACKING = frozenset({"source", "gi"})  # `sk` is a friend link and stays
_PORTS = {"http": 80, "https": 443}
_HOST = r"[a-z0-9](?:[a-z0-9-]*+\.)++[a-z]{2,63}+"  # possessive: nothing that is taken could be of use to what follows
_PATH = r"(?:/[A-Za-z0-9_~%+-][A-Za-z0-9._~%+-]*+)*+/?"
PLAIN_PAGE = rf"https?://{_HOST}(?=/){_PATH}"  # a pattern: `shown_link` of such an address is the address
PLAIN_CAMPAIGN = r"utm_[a-z]++=[A-Za-z0-9._~%+=/-]*+"  # a parameter that `shown_link` takes away
_PLAIN = re.compile(
    rf"(?P<site>https?://(?P<host>{_HOST}))(?P<path>{_PATH})"
    r"(?:\?(?P<query>[A-Za-z0-9._~%+=&/-]*))?(?P<fragment>(?:#[A-Za-z0-9._~%+=&/-]+)?)"
)  # what most links look like: nothing to resolve, to repair or to refuse
_PLAIN_SITE = re.compile(r"https?://([a-z0-9.-]+)(?=[/?#]|\Z)")
_CAMPAIGN = re.compile(r"utm_[a-z]+=[^&]*(?:&utm_[a-z]+=[^&]*)*")  # what most queries are
_ASCII = "".join(map(chr, range(128)))
_ESCAPED = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = re.compile(r"2[dDeE]|3\d|[46][1-9a-fA-F]|[57][0-9aA]|5[fF]|7[eE]")  # - . digits letters _ ~
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\x9f\\\"<>^`{|}\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def shown_link(url: str | None, *, base: str = "") -> str | None:
    """The address as people may follow it: absolute, http or https, without tracking; None when it is none of these.

    Control characters end it (`java\\tscript:`), and so does a user name before the host, which only serves to deceive.
    """
    text = (url or "").strip(" \t\r\n\f\0")
    if (plain := _PLAIN.fullmatch(text)) and len(text) <= LONGEST:
        query = _without_tracking(plain["query"], plain["host"])
        return f"{plain['site']}{plain['path'] or '/'}{'?' + query if query else ''}{plain['fragment']}"
    if not text or len(text) > LONGEST or re.fullmatch(r"[a-zA-Z][a-zA-Z0-9+.-]*:/*", text):
        return None
    try:
        split = urlsplit(urljoin(base, text) if base else text)
        port = split.port
    except ValueError:
        return None
    if split.scheme not in _PORTS or not split.hostname or "@" in split.netloc:
        return None
    if _UNSAFE.search(split.netloc):
        return None
    host = f"[{split.hostname}]" if ":" in split.hostname else split.hostname
    netloc = host if port in (None, _PORTS[split.scheme]) else f"{host}:{port}"
    query = _without_tracking(split.query, split.hostname)
    clean = urlunsplit((split.scheme, netloc, split.path or "/", query, split.fragment))
    return _UNSAFE.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), clean)


@lru_cache(maxsize=4_096)
def without_feed_scheme(url: str, *, page: str = "") -> str:
    """`webcal:` and `feed:` stand before an address of the web, or in the place of its scheme: then that of the page which
    names it stands for `feed:`, and for a `webcal:` of its own host, which may know no https."""
    bare = re.sub(r"^(?:webcals?|feed):(?=//|https?://)", "", url.strip(), flags=re.IGNORECASE)
    if not bare.startswith("//") or bare == url.strip():
        return bare
    if url.strip()[:5].lower() == "feed:":
        return (page.partition(":")[0] or "http") + ":" + bare
    return (
        "http:" if page.startswith("http:") and host_of("http:" + bare) == host_of(page) else "https:"
    ) + bare


def same_page_key(url: str) -> str:
    """Two addresses with one key are one page: scheme, `www.`, fragment, last slash and the order of parameters go, and
    `é`, `%C3%A9` and `%c3%a9` are one spelling (RFC 3986, section 6.2.2; RFC 5890 for the host).

    What is no address is its own key.
    """
    if (plain := _PLAIN.fullmatch(url)) and not plain["query"] and "%" not in url:
        return plain["host"].removeprefix("www.") + plain["path"].rstrip("/")
    try:
        split = urlsplit(url)
        port = f":{split.port}" if split.port else ""
    except ValueError:
        return url
    host = _ascii_host(split.hostname or "").removeprefix("www.")
    query = urlencode(sorted(parse_qsl(split.query, keep_blank_values=True)))
    return f"{host}{port}{_one_spelling(split.path).rstrip('/')}{'?' + query if query else ''}"


def _ascii_host(host: str) -> str:
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        return host


def _one_spelling(path: str) -> str:
    """Letters beyond ASCII escaped, unreserved ones not, hexadecimals in upper case."""
    if not path.isascii():
        path = quote(normalize("NFC", path), safe=_ASCII, errors="replace")
    return _ESCAPED.sub(_unescaped, path) if "%" in path else path


def _unescaped(escaped: re.Match[str]) -> str:
    return chr(int(escaped[1], 16)) if _UNRESERVED.fullmatch(escaped[1]) else escaped[0].upper()


def is_front_page(url: str) -> bool:
    """A site's root says nothing about which item is meant."""
    if (plain := _PLAIN.fullmatch(url)) and plain["path"] not in ("", "/"):
        return False
    split = urlsplit(url)
    return split.path in ("", "/") and not split.query


def host_of(url: str) -> str:
    """Lower-cased host without its last dot, or ""."""
    if plain := _PLAIN_SITE.match(url):
        return plain[1].rstrip(".")
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def owner_of(host: str) -> str:
    """The domain that somebody registered (`blog.example.org` is example.org's, `www.ville.qc.ca` ville.qc.ca's): whoever
    limits one of its hosts limits them all. By the form of the name; an address stays whole."""
    labels = host.split(".")
    if len(labels) < 3 or ":" in host or labels[-1].isdigit():
        return host
    is_shared = len(labels[-1]) == 2 and (len(labels[-2]) <= 2 or labels[-2] in _REGISTRIES)
    return ".".join(labels[-3 if is_shared else -2 :])


def is_medium_host(host: str) -> bool:
    return host == "medium.com" or host.endswith(".medium.com")


def _without_tracking(query: str, host: str) -> str:
    if not query or _CAMPAIGN.fullmatch(query):
        return ""
    kept = [part for part in query.split("&") if part and not _tracks(part, host)]
    return "&".join(kept)


def _tracks(part: str, host: str) -> bool:
    name, _, value = part.partition("=")
    name = name.lower()
    if name in _TRACKING or name.startswith(_TRACKING_PREFIXES):
        return True
    if name == "ref":
        return value.lower() in (host, host.removeprefix("www."))
    if name == "aff" and "eventbrite." in host:
        return True
    if name == "source" and value.startswith("rss-"):
        return True  # Medium on a domain of its own
    return is_medium_host(host) and name in _MEDIUM_TRACKING
