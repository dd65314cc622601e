"""What follows a person's name: the generation (Jr, III) apart from degrees, licences and honours (MD, CPA)."""

import re
from typing import Final

from custview_pipeline.standardisation.text import has_uniform_case, word_pairs

_GENERATIONS: Final = word_pairs(
    """jr Jr junior Jr jnr Jr sr Sr senior Sr snr Sr ii II iii III iv IV i I v V vi VI vii VII 2nd II 3rd III 4th IV 5th V"""
)
# Written in letters of both cases; the others in capitals.
_CREDENTIALS: Final = word_pairs(
    """phd PhD dphil DPhil edd EdD psyd PsyD pharmd PharmD esq Esq esquire Esq bsc BSc msc MSc meng MEng beng BEng med MEd bed BEd
    ceng CEng drph DrPH dds DDS ret Ret"""
)


def credential_words(credentials: str) -> set[str]:
    """Return the words that credentials are among a name's, spelled in whichever way: PhD, or Ph and D."""
    return {*credentials.lower().split(), *(piece.lower() for piece in re.findall("[A-Z][a-z]+", credentials))}


def split_suffixes(text: str) -> tuple[str, str]:
    """Return the generations and the credentials among suffixes, each in one spelling: "III, M.D." is III and MD."""
    generations, credentials = [], []
    for word in _joined(re.sub(r"[,;()]+", " ", text)).split():
        bare = word.replace(".", "")
        small = bare.lower()
        if small in _GENERATIONS:
            generations.append(_GENERATIONS[small])
        elif bare:
            credentials.append(_CREDENTIALS.get(small) or (bare.upper() if has_uniform_case(bare) else bare))
    return " ".join(dict.fromkeys(generations)), " ".join(dict.fromkeys(credentials))


def _joined(text: str) -> str:
    """Close up degrees that are written with spaces: Ph. D., M. D."""
    return re.sub(r"\b(Ph|[A-Z])\. (?=[A-Z]\b\.?)", r"\1.", text) if ". " in text else text
