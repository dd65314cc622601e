"""Which generations of the match index a delivery writes."""

from custview_pipeline.contracts.match_index import Generation
from custview_pipeline.kernel.errors import KeyUnavailable
from custview_pipeline.kernel.ports import Snapshot
from custview_pipeline.protection.keyring import AirlockKeys
from custview_pipeline.standardisation.standardise import rule_set_version


def is_makeable(name: str, keys: AirlockKeys) -> bool:
    """Return whether rows of a generation can be made: by the rules of this package, and with a token key that is there."""
    generation = Generation.named(name)
    return generation.rules == rule_set_version() and generation.token_version in keys.token_keys


def generations_to_write(snapshot: Snapshot, keys: AirlockKeys) -> tuple[str, ...]:
    """Return the generations that new rows are made for: the one matching uses and the one that is being built.

    Where neither can be made any more, because the rules changed or a token key is gone, it is one that the lake does not name
    yet, and so it is in an empty lake.

    Raises:
        KeyUnavailable: The generation in use was made under a token key that came after these keys.
    """
    held = snapshot.index_generations()
    if held[0] is not None and Generation.named(held[0]).token_version > max(keys.token_keys):
        raise KeyUnavailable(
            "the match index was made under a token key that is newer than these keys: run it again; where that does not help, "
            "restore a newer key backup"
        )
    makeable = tuple(name for name in held if name is not None and is_makeable(name, keys))
    return makeable or (Generation(rule_set_version(), keys.token_version).name,)
