"""Which jurisdiction a mail domain belongs to. For counts only: a domain is personal information too. Pure."""

from collections.abc import Mapping

from digest.rules.consent import is_within

# Longest match wins. Public knowledge about Canadian government domains; an operator's own table comes with the gate.
BY_DOMAIN: Mapping[str, str] = {
    "canada.ca": "federal", "gc.ca": "federal",
    "ontario.ca": "ontario", "gov.on.ca": "ontario",
    "gov.bc.ca": "british-columbia",
    "gov.ab.ca": "alberta", "alberta.ca": "alberta",
    "gov.sk.ca": "saskatchewan", "saskatchewan.ca": "saskatchewan",
    "gov.mb.ca": "manitoba",
    "gouv.qc.ca": "quebec", "quebec.ca": "quebec",
    "gnb.ca": "new-brunswick",
    "novascotia.ca": "nova-scotia", "gov.ns.ca": "nova-scotia",
    "gov.pe.ca": "prince-edward-island",
    "gov.nl.ca": "newfoundland-and-labrador",
    "yukon.ca": "yukon", "gov.yk.ca": "yukon",
    "gov.nt.ca": "northwest-territories",
    "gov.nu.ca": "nunavut",
    "toronto.ca": "municipal", "ottawa.ca": "municipal", "vancouver.ca": "municipal", "calgary.ca": "municipal",
    "edmonton.ca": "municipal", "winnipeg.ca": "municipal", "montreal.ca": "municipal", "halifax.ca": "municipal",
    "london.ca": "municipal", "hamilton.ca": "municipal", "mississauga.ca": "municipal", "surrey.ca": "municipal",
}  # fmt: skip
ELSEWHERE = "elsewhere"


def jurisdiction(domain: str) -> str:
    """`domain` as A-labels, lower case."""
    matches = [suffix for suffix in BY_DOMAIN if is_within(domain, [suffix])]
    return BY_DOMAIN[max(matches, key=len)] if matches else ELSEWHERE
