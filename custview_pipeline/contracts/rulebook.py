"""The rulebook: how records are matched, which value survives, whom to trust; every key has a default."""

import hashlib
import json
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field

from custview_pipeline.contracts.matching_settings import Matching, check_matching
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.contracts.survivorship_rules import Survivorship
from custview_pipeline.contracts.survivorship_text import check_survivorship, spell_out
from custview_pipeline.contracts.trust import TRUSTED_NAMES, trust_by_golden_attribute
from custview_pipeline.contracts.written_model import WrittenModel, read_model
from custview_pipeline.contracts.yaml_text import parse_yaml, suggest


def _trusted(name: str) -> str:
    if name != "default" and name not in TRUSTED_NAMES:
        raise ValueError(f"no attribute of a golden record{suggest(name, TRUSTED_NAMES)}")
    return name


def _by_golden_attribute(stated: dict[str, float]) -> dict[str, float]:
    kept = trust_by_golden_attribute({name: score for name, score in stated.items() if name != "default"})
    return kept | ({"default": stated["default"]} if "default" in stated else {})


Share = Annotated[float, Field(strict=True, ge=0, le=1)]
TrustOfSource = Annotated[dict[Annotated[str, AfterValidator(_trusted)], Share], AfterValidator(_by_golden_attribute)]


class QualityTargets(WrittenModel):
    """The scores, 0 to 1, that the scorecard measures against."""

    completeness: Share = 0.9
    conformity: Share = 0.95
    uniqueness: Share = 0.98
    consistency: Share = 0.98
    timeliness: Share = 0.9
    accuracy: Share = 0.98


class Rulebook(WrittenModel):
    """The whole rulebook.

    Attributes:
        trust: By source system: trust by attribute, and ``default`` for the rest; what is here outweighs the contract.
        continuity_target: Share of customers that should go on under their id from run to run; a check tells where fewer do.
    """

    matching: Matching = Matching()
    survivorship: Survivorship = Survivorship()
    trust: dict[str, TrustOfSource] = Field(default_factory=dict)
    quality_targets: QualityTargets = QualityTargets()
    continuity_target: Share = 0.95

    @property
    def version(self) -> str:
        """Return twelve hex digits that change when any effective rule does."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    def trust_score(self, contract: SourceContract, attribute: str) -> float:
        """Return the trust, 0 to 1, in a golden attribute as one source gives it.

        The rulebook goes before the contract, its default too; within each, the attribute goes before the default.
        """
        stated = self.trust.get(contract.source_system, {})
        contracted = contract.trust_by_attribute.get(attribute, contract.trust)
        return stated.get(attribute, stated.get("default", contracted))


def parse_rulebook(text: str | None, *, file: str, source_systems: Iterable[str] | None = None) -> Rulebook:
    """Read the rulebook; the defaults where there is none.

    Args:
        text: What the file says; None where it is absent.
        file: Its name, as errors show it.
        source_systems: The project's sources; where given, trust in any other, or a condition on it, is an error.

    Raises:
        ProjectInvalid: A key, strategy, attribute, comparison or source is unknown, a value is out of its range, or a rule
            cannot mean what its author wanted.
    """
    if text is None:
        return Rulebook()
    written = spell_out(parse_yaml(text, file=file))
    rulebook = read_model(Rulebook, written)
    known = None if source_systems is None else set(source_systems)
    check_matching(rulebook.matching, written)
    check_survivorship(rulebook.survivorship, written, known)
    for source in rulebook.trust:
        if known is not None and source not in known:
            raise written.invalid(f"trust in {source!r}, which no contract describes{suggest(source, known)}", "trust", source)
    return rulebook
