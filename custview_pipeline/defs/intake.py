"""Assets of the airlock: for each source its files, and delivery, validation and protected records out of one operation."""

import hashlib
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

import dagster as dg

from custview_pipeline.adapters.source_files import SourceFiles
from custview_pipeline.adapters.sources import open_source
from custview_pipeline.contracts.intake_tables import (
    DELIVERIES,
    HELD_DELIVERIES,
    PROTECTED_RECORDS,
    QUARANTINED_RECORDS,
    RECORD_ISSUES,
)
from custview_pipeline.contracts.source_contract import SourceContract
from custview_pipeline.defs.declared_names import Declared
from custview_pipeline.defs.metadata import (
    ROW_COUNT,
    Shown,
    Told,
    column_schema,
    counted,
    counts,
    owners_of,
    source_schema,
    tag_value,
    told,
)
from custview_pipeline.defs.resources import ProjectResource
from custview_pipeline.defs.stages import is_by_command, is_whole, stage
from custview_pipeline.flows.deliver import Delivery, Intake, deliver
from custview_pipeline.flows.score import scores_of_delivery
from custview_pipeline.flows.watermark import changed_since
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.errors import SourceUnreadable
from custview_pipeline.kernel.ports import Progress
from custview_pipeline.protection.record_identity import keyed_fingerprint
from custview_pipeline.validation.rules import FieldRule, rules_of
from custview_pipeline.validation.verdicts import Verdict

FINGERPRINT_TAG: Final = "custview/fingerprint."
HELD_TAG: Final = "custview/held."
ASKED_TAG: Final = "custview/asked."
SETTLE_SECONDS: Final = 10.0  # a file younger than this may still be written
_PATIENCE_SECONDS: Final = 60.0  # how long a run waits for files to be complete, before it holds the lake
_LOOK_SECONDS: Final = 1.0
REFUSED_SHARE: Final = "completeness__record__refused_share"
ERASED_BEFORE: Final = "consistency__record__erased_before"
_SHORTEST_WINDOW: Final = timedelta(minutes=1)  # Dagster takes none that is shorter
_BESIDE: Final = {"ingestion": {"held_table": HELD_DELIVERIES.name}, "validation": {"warnings_table": RECORD_ISSUES.name}}
_UNCHANGED: Final = "unchanged: the delivery was taken in and judged before"

Results = Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]


def files_key(source_system: str) -> dg.AssetKey:
    """Return the asset key of a source's files."""
    return dg.AssetKey(f"{source_system}_files")


def intake_keys(source_system: str) -> list[dg.AssetKey]:
    """Return the asset keys that one delivery makes, in order."""
    return [dg.AssetKey(f"{source_system}_{what}") for what in ("delivery", "validation", "protected")]


def terms_of(contract: SourceContract) -> str:
    """Return what changes when the contract does."""
    return hashlib.sha256(repr(contract).encode()).hexdigest()[:16]


def held_mark(fingerprint: str, terms: str) -> str:
    """Return how a run tells what it held back: the content, and the terms that it was judged by."""
    return f"{fingerprint}:{terms}"


def files_of(contract: SourceContract) -> dg.AssetSpec:
    """Return the files of a source, which others make and we observe."""
    return dg.AssetSpec(
        key=files_key(contract.source_system),
        group_name="ingestion",
        kinds={contract.file_format},
        description=f"{contract.title}: {contract.purpose or 'files of the source system'}",
        owners=owners_of(contract),
        tags=_tags(contract),
        metadata=told(
            {
                "dagster/column_schema": source_schema(contract),
                "path": contract.path_pattern,
                "extract": contract.extract,
                **_named_by(contract),
            },
            Declared.by(contract),
        ),
    )


def admission_of(contract: SourceContract) -> dg.AssetsDefinition:
    """Return the operation that admits one source; no readable row leaves it."""
    source = contract.source_system
    delivery, validation, protected = intake_keys(source)

    @dg.multi_asset(
        name=f"admit_{source}",
        specs=[
            _spec(contract, delivery, "ingestion", files_key(source)),
            _spec(contract, validation, "validation", delivery),
            _spec(contract, protected, "protection", validation),
        ],
        check_specs=[*(_check_spec(rule, validation) for rule in rules_of(contract)), *_fixed_specs(validation)],
    )
    def admit(context: dg.AssetExecutionContext, project: ProjectResource, progress: dg.ResourceParam[Progress]) -> Results:
        with stage(str(delivery.to_user_string()), progress):
            if not is_by_command(context.run):
                _wait_until_settled(project.project.directory, contract)
            writer = project.writer()  # before the keys are taken: they must be those that the state of the lake was made with
            since = None if is_whole(context.run) else changed_since(writer.snapshot(), contract, project.project.region)
            opened = open_source(project.project.directory, contract, since=since)
            intake = Intake(
                contract=contract,
                source=opened,
                region=project.project.region,
                keys=project.keyring.airlock_keys(),
                workers=settings.worker_count(),
                run_id=context.run.run_id,
                progress=progress,
                targets=project.project.rulebook.quality_targets,
                suppressed=project.erased_marks(),
                is_whole=is_whole(context.run),
            )
            with opened.reading():
                # Taken before: a file that changes later then differs from the tag, and the sensor asks for another run.
                fingerprint = keyed_fingerprint(intake.keys.id_key, opened.fingerprint())
                report = deliver(intake, writer)
            scores = scores_of_delivery(writer.snapshot(), report.delivery_id)
            results = [*_materialisations(report, scores, contract), *_check_results(report, contract, validation)]
        progress.done(source, report)
        context.instance.add_run_tags(context.run.run_id, _seen(context.run, report, fingerprint, contract))
        if report.refusal is not None:
            progress.failed(str(validation.to_user_string()), report.refusal)
        yield from results

    return admit


def _wait_until_settled(directory: Path, contract: SourceContract) -> None:
    """Wait a while for files that may still be written; a person at the command line knows that they are complete.

    Raises:
        SourceUnreadable: They are still being written.
    """
    opened, deadline = open_source(directory, contract), time.monotonic() + _PATIENCE_SECONDS
    while isinstance(opened, SourceFiles) and opened.stat_mark() and not opened.is_settled(SETTLE_SECONDS):
        if time.monotonic() > deadline:
            raise SourceUnreadable(f"{contract.source_system}: the files are still being written")
        time.sleep(_LOOK_SECONDS)


def _seen(run: dg.DagsterRun, report: Delivery, fingerprint: str, contract: SourceContract) -> dict[str, str]:
    """Return the tags by which a sensor knows what became of the content that it sees; none where it was refused.

    The sensor's own word for the content goes first: a program that gives changes alone shows the run less than the sensor.
    """
    source = contract.source_system
    content = run.tags.get(f"{ASKED_TAG}{source}", fingerprint)
    if report.held or report.is_rejected:
        return {f"{HELD_TAG}{source}": held_mark(content, terms_of(contract))}
    return {f"{FINGERPRINT_TAG}{source}": content} if report.refusal is None else {}


def _spec(contract: SourceContract, key: dg.AssetKey, group: str, dep: dg.AssetKey) -> dg.AssetSpec:
    described = {
        "ingestion": (f"What {contract.title} delivered: rows read, new, changed, unchanged, deleted.", DELIVERIES),
        "validation": (
            f"Which rows of {contract.title} keep their contract; refused ones are sealed, accepted ones may be warned of.",
            QUARANTINED_RECORDS,
        ),
        "protection": (f"Records of {contract.title}, sealed and searchable by keyed token only.", PROTECTED_RECORDS),
    }
    description, table = described[group]
    return dg.AssetSpec(
        key=key,
        group_name=group,
        deps=[dep],
        kinds={"polars", "pandera"} if group == "validation" else {"polars", "deltalake"},
        description=description,
        owners=owners_of(contract),
        tags=_tags(contract),
        code_version="1",
        skippable=True,
        freshness_policy=_freshness(contract) if group == "ingestion" else None,
        metadata=told(
            {
                "dagster/column_schema": column_schema(table),
                "table": table.name,
                **_BESIDE.get(group, {}),
                **_named_by(contract),
            },
            Declared.by(contract),
        ),
    )


def _freshness(contract: SourceContract) -> dg.FreshnessPolicy | None:
    """Return how old the last delivery may become, where the contract promises that; the UI calls an older one overdue."""
    if contract.freshness_hours is None:
        return None
    return dg.FreshnessPolicy.time_window(fail_window=max(timedelta(hours=contract.freshness_hours), _SHORTEST_WINDOW))


def _named_by(contract: SourceContract) -> dict[str, Told]:
    return {"contract": contract.file, "contract_version": contract.version}


def _tags(contract: SourceContract) -> dict[str, str]:
    domain = {"custview/domain": tag_value(contract.domain)} if contract.domain else {}
    return {"custview/source": tag_value(contract.source_system), **domain}


def _check_spec(rule: FieldRule, asset: dg.AssetKey) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(name=rule.name, asset=asset, description=rule.description)


def _fixed_specs(asset: dg.AssetKey) -> Iterator[dg.AssetCheckSpec]:
    """Yield the checks that every source has, whatever its contract says."""
    yield dg.AssetCheckSpec(
        name=REFUSED_SHARE,
        asset=asset,
        blocking=True,
        description=(
            "The gate: too many refused rows, a broken rule of severity error, "
            "or a snapshot that lacks too many of the known records stop the delivery."
        ),
    )
    yield dg.AssetCheckSpec(
        name=ERASED_BEFORE, asset=asset, description="Rows of records that were erased, which the source still delivers."
    )


def _materialisations(report: Delivery, scores: Mapping[str, float], contract: SourceContract) -> Results:
    """Yield what was stored; nothing where the gate stayed shut."""
    if report.refusal is not None:
        return
    delivery, validation, protected = intake_keys(contract.source_system)
    if report.is_unchanged:  # no counts: zeros would read as an empty delivery; no delivery, or an overdue one would look fresh
        judged = (validation, protected)
        yield from (dg.MaterializeResult(asset_key=key, metadata=told({"is_unchanged": True})) for key in judged)
        return
    yield dg.MaterializeResult(asset_key=delivery, metadata=told({**counts(report), ROW_COUNT: report.row_count}))
    yield dg.MaterializeResult(asset_key=validation, metadata=validation_metadata(report, scores, contract))
    stored = report.new_count + report.changed_count
    yield dg.MaterializeResult(
        asset_key=protected, metadata=told({"sealed_count": stored, "deleted_count": report.deleted_count})
    )


def validation_metadata(report: Delivery, scores: Mapping[str, float], contract: SourceContract) -> dict[str, Shown]:
    """Return what the validation of a delivery shows: refused rows by rule, rows accepted with a warning, and the scores.

    Args:
        report: What became of the delivery.
        scores: By dimension, 0 to 1; each is a number of its own, so that Dagster plots it over the deliveries.
        contract: The contract that it was judged by.
    """
    shown: dict[str, Told] = {
        "refused": counted(report.reasons, what="rule"),
        "refused_count": report.refused_count,
        "warned_count": report.warned_count,
    }
    return told({**shown, **scores}, Declared.by(contract))


def _check_results(report: Delivery, contract: SourceContract, asset: dg.AssetKey) -> Results:
    """Return a result for each rule and for the checks that every source has; an unchanged delivery was judged before."""
    found = {verdict.rule.name: verdict for verdict in report.verdicts}
    for rule in rules_of(contract):
        yield _check_result(rule, found.get(rule.name), asset)
    yield dg.AssetCheckResult(
        check_name=REFUSED_SHARE,
        asset_key=asset,
        passed=report.refusal is None,
        severity=dg.AssetCheckSeverity.ERROR,
        description=_UNCHANGED if report.is_unchanged else report.refusal,
        metadata=told({} if report.is_unchanged else {"refused_count": report.refused_count, "row_count": report.row_count}),
    )
    yield dg.AssetCheckResult(
        check_name=ERASED_BEFORE,
        asset_key=asset,
        passed=report.suppressed_count == 0,
        severity=dg.AssetCheckSeverity.WARN,
        description=_UNCHANGED if report.is_unchanged else None,
        metadata=told(
            {} if report.is_unchanged else {"suppressed_count": report.suppressed_count, "row_count": report.row_count}
        ),
    )


def _check_result(rule: FieldRule, verdict: Verdict | None, asset: dg.AssetKey) -> dg.AssetCheckResult:
    # A limit sets rows aside and lets the delivery pass, so it warns; red is left for what stops a delivery.
    is_stopping = rule.quality is not None and rule.severity == "error"
    severity = dg.AssetCheckSeverity.ERROR if is_stopping else dg.AssetCheckSeverity.WARN
    if verdict is None:
        return dg.AssetCheckResult(check_name=rule.name, asset_key=asset, passed=True, severity=severity, description=_UNCHANGED)
    not_run = "not executed: the pipeline does not run rules of this type"
    return dg.AssetCheckResult(
        check_name=rule.name,
        asset_key=asset,
        passed=verdict.passed,
        severity=severity,
        description=None if verdict.is_executed else not_run,
        metadata=told({"failed_count": verdict.failed, "judged_count": verdict.total, "is_executed": verdict.is_executed}),
    )
