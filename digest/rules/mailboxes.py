"""Domains that belong to nobody in particular: whoever opens the gate to one opens it to everybody. Pure."""

from digest.rules.jurisdictions import Directory

# Where anybody gets a mailbox, those of Canada's access providers among them. Single people can be let in from there.
_MAILBOXES = """
  gmail.com googlemail.com outlook.com outlook.fr hotmail.com hotmail.ca hotmail.fr live.com live.ca live.fr msn.com
  yahoo.com yahoo.ca yahoo.fr yahoo.co.uk ymail.com rocketmail.com icloud.com me.com mac.com aol.com
  proton.me protonmail.com protonmail.ch pm.me fastmail.com fastmail.fm gmx.com gmx.net gmx.de gmx.fr mail.com zoho.com
  zohomail.com tutanota.com tutamail.com tuta.io tuta.com yandex.com yandex.ru hey.com duck.com hushmail.com inbox.com
  mailo.com mail.ru qq.com 163.com 126.com posteo.net posteo.de riseup.net disroot.org mailbox.org startmail.com
  bell.net sympatico.ca bellaliant.net aliant.net rogers.com shaw.ca telus.net videotron.ca videotron.qc.ca cogeco.ca
  eastlink.ca sasktel.net mts.net mymts.net northwestel.net xplornet.com xplore.ca teksavvy.com ebox.ca distributel.ca
  acanac.ca primus.ca look.ca orange.fr wanadoo.fr free.fr laposte.net sfr.fr comcast.net verizon.net att.net
"""
_PROVIDERS = frozenset(_MAILBOXES.split())
_PROVINCES = frozenset({"ab", "bc", "mb", "nb", "nf", "nl", "ns", "nt", "nu", "on", "pe", "qc", "sk", "yk"})
_SHARED = frozenset(
    {"co", "com", "net", "org", "edu", "ac", "or", "ne", "asso", "nom"}
)  # before a country's two letters


def is_everybodys(domain: str) -> bool:
    """A provider of mailboxes, or a name under which anybody registers theirs (`on.ca`, `co.uk`). domain: A-labels."""
    labels = domain.split(".")
    if domain in _PROVIDERS or len(labels) < 2:
        return True
    if len(labels) > 2 or len(labels[1]) != 2:
        return False
    return labels[0] in _SHARED or (labels[1] == "ca" and labels[0] in _PROVINCES)


def worn_name(domain: str, directory: Directory) -> str:
    """The known domain that a foreign one wears in front (`ontario.ca.evil.example`, `ontario-ca.example`), or ""."""
    if directory.find(domain) is not None:
        return ""
    labels = domain.split(".")
    worn = (".".join(labels[:number]) for number in range(len(labels) - 1, 1, -1))
    dashed = (label.replace("-", ".") for label in labels if "-" in label)
    return next((name for name in (*worn, *dashed) if directory.has(name)), "")
