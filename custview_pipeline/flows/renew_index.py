"""Puts another generation of the match index in the place of the one in use: for other rules, and for another token key."""

from custview_pipeline.contracts.match_index import Generation
from custview_pipeline.flows.generations import generations_to_write, is_makeable
from custview_pipeline.flows.rebuild import give_lacking
from custview_pipeline.flows.renewal import RECORDS_A_TURN, Renewal, Turn, versions_in
from custview_pipeline.kernel.ports import LakeWriter, Snapshot
from custview_pipeline.protection.keyring import Keyring
from custview_pipeline.protection.wrapped_keys import KeyState, Purpose
from custview_pipeline.standardisation.standardise import rule_set_version


def bring_up_to_date(lake: LakeWriter, renewal: Renewal) -> int:
    """Have matching use a generation of today's rules that has every current record; call it before matching.

    Where the rules changed, what was delivered since is in the next generation alone. The other records are brought from the
    vault, so that no source need be read again. It resumes what was interrupted, and is quick where there is nothing to do.

    Args:
        lake: The lake, held for writing.
        renewal: Keys and contracts.

    Returns:
        How many records were brought.

    Raises:
        ProjectInvalid: No contract describes a source any more.
        KeyUnavailable: The index was made under a token key that came after these keys.
    """
    snapshot, keys = lake.snapshot(), renewal.keyring.airlock_keys()
    active, following = snapshot.index_generations()
    if active is None:
        return 0
    wanted = generations_to_write(snapshot, keys)[0]
    if wanted == active and (following is None or is_makeable(following, keys)):
        return 0
    if wanted not in {active, following}:
        _begin(lake, renewal, wanted)
    brought = 0
    while given := give_lacking(lake, renewal, wanted, limit=RECORDS_A_TURN):
        brought += given
        renewal.progress.step("match_index", "records brought under today's rules", brought)
    with lake.commit(renewal.run_id) as commit:
        if wanted == active:
            commit.drop_next_index()  # of rules that this package does not have; it may have had records that no other had
        else:
            commit.switch_index()
    settle_token_key(lake.snapshot(), renewal.keyring)
    return brought


def token_turn(lake: LakeWriter, renewal: Renewal, limit: int) -> Turn:
    """Take one turn at building the generation of the next token key; when nothing is lacking, switch and retire the former one.

    Args:
        lake: The lake, held for writing.
        renewal: Keys and contracts.
        limit: How many records at most.

    Raises:
        ProjectInvalid: No contract describes a source any more.
    """
    keyring = renewal.keyring
    version = max(versions_in(keyring, Purpose.TOKEN, KeyState.NEXT), default=keyring.current(Purpose.TOKEN)[0])
    wanted = Generation(rule_set_version(), version).name
    active, following = lake.snapshot().index_generations()
    if active not in {None, wanted}:
        if following != wanted:
            if is_makeable(active, keyring.airlock_keys()):
                bring_up_to_date(lake, renewal)
            _begin(lake, renewal, wanted)
        if given := give_lacking(lake, renewal, wanted, limit=limit):
            return Turn(records=given)
        with lake.commit(renewal.run_id) as commit:
            commit.switch_index()
    settle_token_key(lake.snapshot(), keyring)
    return Turn(is_complete=True)


def settle_token_key(snapshot: Snapshot, keyring: Keyring) -> None:
    """Promote the next token key where matching uses it, and retire former ones that no generation needs."""
    active, following = snapshot.index_generations()
    in_use = None if active is None else Generation.named(active).token_version
    if any(in_use in {None, version} for version in versions_in(keyring, Purpose.TOKEN, KeyState.NEXT)):
        keyring.promote(Purpose.TOKEN)
    needed = {Generation.named(name).token_version for name in (active, following) if name is not None}
    for version in versions_in(keyring, Purpose.TOKEN, KeyState.FORMER):
        if version not in needed:
            keyring.retire(Purpose.TOKEN, version)


def _begin(lake: LakeWriter, renewal: Renewal, generation: str) -> None:
    with lake.commit(renewal.run_id) as commit:
        commit.begin_index(generation)
