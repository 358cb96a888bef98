"""What receivers look up before they believe a From address: SPF (RFC 7208) and DMARC (RFC 7489). Only a resolver is asked."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import dns.resolver

_LONGEST_S = 5.0
_NOBODYS = {"example", "test", "invalid", "localhost", "local"}  # RFC 2606, RFC 6761


def sender_records(domain: str, *, resolver: "dns.resolver.Resolver | None" = None) -> str | None:
    """`SPF DMARC`, or those that are there; None when no name server answers, or the domain is one of examples."""
    import dns.exception
    import dns.resolver

    if domain.rpartition(".")[2] in _NOBODYS or domain.endswith(
        ("example.org", "example.com", "example.net")
    ):
        return None
    found = []
    for name, where, begins in (("SPF", domain, "v=spf1"), ("DMARC", f"_dmarc.{domain}", "v=DMARC1")):
        try:
            answer = (resolver or dns.resolver.Resolver()).resolve(where, "TXT", lifetime=_LONGEST_S)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            continue
        except (dns.exception.DNSException, OSError):
            return None
        if any(b"".join(record.strings).startswith(begins.encode()) for record in answer):
            found.append(name)
    return " ".join(found)
