"""Assets from matching to audit: model, edges, crosswalk, golden records, the core view, the scorecard."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import dagster as dg

from custview_pipeline.audit.integrity import PROMISES, Promise
from custview_pipeline.defs.declared_names import Declared
from custview_pipeline.defs.metadata import ROW_COUNT, Rows, Told, counts, table_spec, told
from custview_pipeline.defs.resources import ProjectResource
from custview_pipeline.defs.stages import is_whole, stage
from custview_pipeline.flows.assess import Assessment, assess
from custview_pipeline.flows.link import Linkage, link
from custview_pipeline.flows.publish import publish
from custview_pipeline.flows.quarantine import expire
from custview_pipeline.flows.renew_index import bring_up_to_date
from custview_pipeline.flows.renewal import Renewal
from custview_pipeline.flows.rotation import continue_rotations
from custview_pipeline.flows.survive import survive
from custview_pipeline.kernel import settings
from custview_pipeline.kernel.ports import Progress
from custview_pipeline.protection.wrapped_keys import Purpose

Results = Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]

DRIFT: Final = "accuracy__record__drift"
CONTINUITY: Final = "consistency__cuid__continuity"
_LINKED: Final = (  # in the order of the graph
    "match_model", "match_edges", "match_groups", "match_runs", "match_volumes", "crosswalk", "cuid_history", "review_tasks",
)  # fmt: skip
_FRAMES: Final = {"polars", "deltalake"}

_DUPLICATES: Final = {"source_system": "string", "customers_held_twice": "int", "further_records": "int"}
_BY_SOURCE: Final = {"source_system": "string", "channel": "string", "owner": "string", "dimension": "string", "score": "float"}
_BELOW_TARGET: Final = {
    "source_system": "string",
    "attribute": "string",
    "dimension": "string",
    "score": "float",
    "target": "float",
}


def linking(protected: Sequence[str]) -> dg.AssetsDefinition:
    """Return the operation that matches all protected records and carries the customer ids on."""

    @dg.multi_asset(
        name="link_records",
        specs=[
            table_spec("match_model", group="matching", deps=list(protected), kinds=_FRAMES),
            table_spec("match_edges", group="matching", deps=["match_model"], kinds=_FRAMES),
            table_spec("match_groups", group="matching", deps=["match_edges"], kinds=_FRAMES),
            table_spec("match_runs", group="matching", deps=["match_edges"], kinds=_FRAMES),
            table_spec("match_volumes", group="matching", deps=["match_edges"], kinds=_FRAMES),
            table_spec("crosswalk", group="matching", deps=["match_groups"], kinds=_FRAMES),
            table_spec("cuid_history", group="matching", deps=["crosswalk"], kinds=_FRAMES),
            table_spec("review_tasks", group="matching", deps=["match_edges", "crosswalk"], kinds=_FRAMES),
        ],
        check_specs=[
            dg.AssetCheckSpec(
                name=DRIFT, asset="match_volumes", description="A change brings pairs and matches as the model knows them."
            ),
            dg.AssetCheckSpec(
                name=CONTINUITY,
                asset="crosswalk",
                description="Customers go on under their ids: their share against continuity_target of the rulebook.",
            ),
        ],
    )
    def link_records(
        context: dg.AssetExecutionContext, project: ProjectResource, progress: dg.ResourceParam[Progress]
    ) -> Results:
        with stage("matching", progress):
            writer, own = project.writer(), project.project
            renewal = Renewal(project.keyring, own.contracts, own.region, settings.worker_count(), context.run.run_id, progress)
            bring_up_to_date(writer, renewal)
            project.end_workers()
            _, id_key = project.keyring.current(Purpose.ID)
            report = link(
                writer,
                own.rulebook,
                id_key,
                run_id=context.run.run_id,
                progress=progress,
                contracts=own.contracts,
                is_whole=is_whole(context.run),
            )
            results = [*_linked(report, Declared.by(*own.contracts)), *_watched(report, own.rulebook.continuity_target)]
        progress.done("matching", report)
        yield from results

    return link_records


def _linked(report: Linkage, declared: Declared) -> Results:
    told_of: dict[str, dict[str, Told]] = {
        "match_edges": counts(report) | {"warning_count": len(report.warnings)},
        "crosswalk": {"duplicates_by_source": Rows(_DUPLICATES, report.duplicates)} if report.is_whole else {},
    }
    for table, rows in _linked_rows(report).items():
        row_count = {} if rows is None else {ROW_COUNT: rows}
        yield dg.MaterializeResult(asset_key=table, metadata=told({**told_of.get(table, {}), **row_count}, declared))


def _watched(report: Linkage, target: float) -> Results:
    """Yield what matching is watched by: whether a change drifts from the model, and customers go on under their ids."""
    unchanged = "unchanged: nothing was matched" if report.is_unchanged else None
    yield dg.AssetCheckResult(
        check_name=DRIFT,
        asset_key="match_volumes",
        passed=not report.drifts,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(report.drifts) or unchanged,
        metadata=told({"drift_count": len(report.drifts), "touched_count": report.touched_count}),
    )
    continuity = {} if report.continuity is None else {"continuity": report.continuity}
    yield dg.AssetCheckResult(
        check_name=CONTINUITY,
        asset_key="crosswalk",
        passed=report.continuity is None or report.continuity >= target,
        severity=dg.AssetCheckSeverity.WARN,
        description=unchanged or (None if continuity else "there were no customers before"),
        metadata=told({**continuity, "target": target, "moved_count": report.moved_count}),
    )


def _linked_rows(report: Linkage) -> dict[str, int | None]:
    """Return the rows of each table where the report tells them."""
    return dict.fromkeys(_LINKED) | {
        "match_edges": report.match_count + report.possible_match_count,
        "crosswalk": report.record_count,
        "review_tasks": report.review_count,
    }


@dg.multi_asset(
    name="elect_golden_records",
    specs=[
        table_spec("golden_records", group="survivorship", deps=["crosswalk"], kinds=_FRAMES),
        table_spec("golden_lineage", group="survivorship", deps=["golden_records"], kinds=_FRAMES),
        table_spec("change_feed", group="survivorship", deps=["golden_records"], kinds=_FRAMES),
    ],
)
def elect_golden_records(
    context: dg.AssetExecutionContext, project: ProjectResource, progress: dg.ResourceParam[Progress]
) -> Results:
    """Elect the value of each attribute of each customer; nothing is decrypted."""
    with stage("survivorship", progress):
        writer = project.writer()
        own = project.project
        run = context.run
        report = survive(writer, own.contracts, own.rulebook, run_id=run.run_id, progress=progress, is_whole=is_whole(run))
        golden = told({**counts(report), ROW_COUNT: report.golden_count})
        lineage = told({"candidate_count": report.candidate_count})
        feed = told({"told_count": report.changed_count})
    progress.done("survivorship", report)
    yield dg.MaterializeResult(asset_key="golden_records", metadata=golden)
    yield dg.MaterializeResult(asset_key="golden_lineage", metadata=lineage)
    yield dg.MaterializeResult(asset_key="change_feed", metadata=feed)


@dg.multi_asset(
    name="build_customer_core",
    specs=[table_spec("customer_core", group="views", deps=["golden_records", "crosswalk"], kinds=_FRAMES)],
)
def build_customer_core(
    context: dg.AssetExecutionContext, project: ProjectResource, progress: dg.ResourceParam[Progress]
) -> Results:
    """Build the core view."""
    with stage("views", progress):
        writer = project.writer()
        report = publish(writer, run_id=context.run.run_id, is_whole=is_whole(context.run))
        core = told({**counts(report), ROW_COUNT: report.core_count})
    progress.done("views", report)
    yield dg.MaterializeResult(asset_key="customer_core", metadata=core)


@dg.multi_asset(
    name="audit_lake",
    specs=[
        table_spec("quality_scores", group="audit", deps=["customer_core", "golden_lineage"], kinds=_FRAMES),
        table_spec("audit_findings", group="audit", deps=["quality_scores"], kinds=_FRAMES),
    ],
    check_specs=[
        dg.AssetCheckSpec(name=name, asset="quality_scores", description=meaning, blocking=True)
        for name, meaning in PROMISES.items()
    ],
)
def audit_lake(context: dg.AssetExecutionContext, project: ProjectResource, progress: dg.ResourceParam[Progress]) -> Results:
    """Score the sources, check the promises between the tables, let old refused rows go, and go on with key rotations."""
    with stage("audit", progress):
        writer, own, run_id = project.writer(), project.project, context.run.run_id
        expired = expire(writer, datetime.now(UTC), run_id=run_id)
        report = assess(writer, own.contracts, own.rulebook, run_id=run_id, is_whole=is_whole(context.run))
        rotations = continue_rotations(writer, project.keyring, own.contracts, own.region, run_id=run_id)
        renewed = sum(rotation.records for rotation in rotations)
        results = list(_audited(report, Declared.by(*own.contracts), expired_count=expired, renewed_count=renewed))
    progress.done("audit", report)
    for rotation in rotations:
        if rotation.held_up is not None:
            progress.failed("audit", f"the rotation of the {rotation.purpose} key is held up: {rotation.held_up}")
    for promise in report.promises:
        if promise.broken_count:
            progress.failed("audit", f"{promise.name}: {promise.broken_count} of {promise.judged_count} rows")
    yield from results


def _audited(report: Assessment, declared: Declared, *, expired_count: int, renewed_count: int) -> Results:
    """Yield what the audit is told of: scores by source, what is below its target, how each promise came out."""
    sources, attributes = (row[0] for row in report.by_source), (row[1] for row in report.below_target)
    names = declared.and_former([*sources, *attributes])
    scores: dict[str, Told] = {
        **counts(report),
        ROW_COUNT: report.score_count,
        "by_source": Rows(_BY_SOURCE, report.by_source),
        "expired_quarantine_count": expired_count,
        "renewed_count": renewed_count,
    }
    findings: dict[str, Told] = {ROW_COUNT: len(report.below_target), "below_target": Rows(_BELOW_TARGET, report.below_target)}
    yield dg.MaterializeResult(asset_key="quality_scores", metadata=told(scores, names))
    yield dg.MaterializeResult(asset_key="audit_findings", metadata=told(findings, names))
    yield from (_promise_result(promise) for promise in report.promises)


def _promise_result(promise: Promise) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=promise.name,
        asset_key="quality_scores",
        passed=promise.broken_count == 0,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata=told({"broken_count": promise.broken_count, "judged_count": promise.judged_count}),
    )
