"""What receivers look up before they believe a From address: SPF, DMARC, our DKIM key. Only a resolver is asked."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import dns.resolver

_LONGEST_S = 5.0
_NOBODYS = {"example", "test", "invalid", "localhost", "local"}  # RFC 2606, RFC 6761


def sender_records(
    domain: str, *, selector: str = "", resolver: "dns.resolver.Resolver | None" = None
) -> str | None:
    """`SPF DMARC`, or those that are there; None when no name server answers, or the domain is one of examples.

    selector: of our own DKIM key; then `DKIM` is there when its public half is (RFC 6376 section 3.6.1).
    """
    import dns.exception
    import dns.resolver

    if domain.rpartition(".")[2] in _NOBODYS or domain.endswith(
        ("example.org", "example.com", "example.net")
    ):
        return None
    found = []
    asked = [("SPF", domain, rb"v=spf1"), ("DMARC", f"_dmarc.{domain}", rb"v=DMARC1")]
    if selector:
        asked.append(("DKIM", f"{selector}._domainkey.{domain}", rb"(?:[^;]*;)*\s*p=\s*\w"))
    for name, where, begins in asked:
        try:
            answer = (resolver or dns.resolver.Resolver()).resolve(where, "TXT", lifetime=_LONGEST_S)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            continue
        except (dns.exception.DNSException, OSError):
            return None
        if any(re.match(begins, b"".join(record.strings)) for record in answer):
            found.append(name)
    return " ".join(found)
