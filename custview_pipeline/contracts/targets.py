"""The score aimed at: by the attribute in its contract, else by the contract, else by the rulebook."""

from collections.abc import Mapping

from custview_pipeline.contracts.attributes import ATTRIBUTES
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.contracts.trust import golden_attributes_of


def target_of(contract: SourceContract, attribute: str, dimension: str, defaults: Mapping[str, float]) -> float:
    """Return the target, 0 to 1, of one score; 0 for the completeness of what most customers lack, unless it is stated.

    Args:
        contract: The source's contract.
        attribute: An attribute of the contract, or a golden one: then the highest target of those that feed it.
        dimension: A key of ``defaults``.
        defaults: Targets of the rulebook.
    """
    own = contract.attribute_targets.get(attribute, {}).get(dimension)
    if own is not None:
        return own
    feeding = [
        targets[dimension]
        for name, targets in contract.attribute_targets.items()
        if dimension in targets and attribute in golden_attributes_of(name)
    ]
    if feeding:
        return max(feeding)
    if dimension == "completeness" and attribute in ATTRIBUTES and ATTRIBUTES[attribute].is_optional:
        return 0.0
    return contract.quality_targets.get(dimension, defaults[dimension])
