"""Made-up readers at example.org, half of them French, for the demo."""

from dataclasses import dataclass

from digest.model import Language

_ENGLISH = [
    "Abigail",
    "Aaron",
    "Bronwen",
    "Callum",
    "Deepa",
    "Ebony",
    "Farid",
    "Gillian",
    "Hamza",
    "Ingrid",
    "Jarrod",
    "Keisha",
    "Lachlan",
    "Maureen",
    "Nikhil",
    "Oona",
    "Parveen",
    "Quinn",
    "Rosalind",
    "Stefan",
    "Tamara",
    "Usha",
    "Vincent",
    "Winona",
    "Yusuf",
]
_FRENCH = [
    "Aurélie",
    "Bastien",
    "Chantal",
    "Denis",
    "Édith",
    "Fabrice",
    "Ginette",
    "Hugo",
    "Isabelle",
    "Jérôme",
    "Karine",
    "Léandre",
    "Manon",
    "Normand",
    "Océane",
    "Pascal",
    "Rachelle",
    "Sébastien",
    "Thérèse",
    "Ulysse",
    "Virginie",
    "Wilfrid",
    "Xavier",
    "Yolande",
    "Zacharie",
]
_ENGLISH_SURNAMES = [
    "Mackenzie",
    "Blackwood",
    "Cheung",
    "Delorey",
    "Eastwood",
    "Ferreira",
    "Grewal",
    "Hutchings",
    "Ilunga",
    "Jamieson",
    "Kowalchuk",
]
_FRENCH_SURNAMES = [
    "Arsenault",
    "Bouchard",
    "Cyr",
    "Desjardins",
    "Émond",
    "Fortin",
    "Gallant",
    "Hébert",
    "Jolicoeur",
    "Lachance",
    "Melanson",
]
_ROLES = ("policy", "service-delivery", "it", "research")
_PLAIN = str.maketrans("Éàâéèêëîïôöûüç", "Eaaeeeeiioouuc")


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleReader:
    name: str
    address: str
    language: Language
    role: str


def sample_readers(count: int) -> list[SampleReader]:
    """`count` different people; every second one reads French."""
    return [_reader(number) for number in range(count)]


def _reader(number: int) -> SampleReader:
    language = Language.FR if number % 2 else Language.EN
    first, last = (_FRENCH, _FRENCH_SURNAMES) if number % 2 else (_ENGLISH, _ENGLISH_SURNAMES)
    turn = number // 2
    name = f"{first[turn % len(first)]} {last[turn % len(last)]}"  # 25 and 11 share no factor: 275 pairs
    again = turn // (len(first) * len(last))
    local = name.lower().translate(_PLAIN).translate(str.maketrans(" é", ".e")) + (
        f"{again + 1}" if again else ""
    )
    return SampleReader(
        name=name, address=f"{local}@example.org", language=language, role=_ROLES[turn % len(_ROLES)]
    )
