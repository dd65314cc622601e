"""Assets from matching to audit: model, edges, crosswalk, golden records, the core view, the scorecard."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import dagster as dg

from custview_pipeline.audit.integrity import PROMISES, Promise
from custview_pipeline.defs.metadata import counts, table_spec
from custview_pipeline.defs.resources import ProjectResource
from custview_pipeline.defs.stages import stage
from custview_pipeline.flows.assess import Assessment, assess
from custview_pipeline.flows.link import Linkage, link
from custview_pipeline.flows.publish import publish
from custview_pipeline.flows.quarantine import expire
from custview_pipeline.flows.survive import survive
from custview_pipeline.kernel.ports import Progress
from custview_pipeline.protection.wrapped_keys import Purpose

Results = Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]

_LINKED: Final = ("match_model", "match_edges", "crosswalk", "cuid_history", "review_tasks")  # in the order of the graph
_ENGINES: Final = {"duckdb", "deltalake"}
_FRAMES: Final = {"polars", "deltalake"}


def linking(protected: Sequence[str]) -> dg.AssetsDefinition:
    """Return the operation that matches all protected records and carries the customer ids on."""

    @dg.multi_asset(
        name="link_records",
        specs=[
            table_spec("match_model", group="matching", deps=list(protected), kinds=_ENGINES),
            table_spec("match_edges", group="matching", deps=["match_model"], kinds=_ENGINES),
            table_spec("crosswalk", group="matching", deps=["match_edges"], kinds=_FRAMES),
            table_spec("cuid_history", group="matching", deps=["crosswalk"], kinds=_FRAMES),
            table_spec("review_tasks", group="matching", deps=["match_edges", "crosswalk"], kinds=_FRAMES),
        ],
    )
    def link_records(
        context: dg.AssetExecutionContext, project: ProjectResource, progress: dg.ResourceParam[Progress]
    ) -> Results:
        with stage("matching", progress):
            writer = project.writer()
            _, id_key = project.keyring.current(Purpose.ID)
            report = link(writer, project.project.rulebook, id_key, run_id=context.run.run_id, progress=progress)
        progress.done("matching", report)
        for table, rows in _linked_rows(report).items():
            shared = counts(report) if table == "match_edges" else {}
            row_count = {} if rows is None else {"dagster/row_count": dg.MetadataValue.int(rows)}
            yield dg.MaterializeResult(asset_key=table, metadata={**shared, **row_count})

    return link_records


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
    ],
)
def elect_golden_records(
    context: dg.AssetExecutionContext, project: ProjectResource, progress: dg.ResourceParam[Progress]
) -> Results:
    """Elect the value of each attribute of each customer; nothing is decrypted."""
    with stage("survivorship", progress):
        writer = project.writer()
        own = project.project
        report = survive(writer, own.contracts, own.rulebook, run_id=context.run.run_id, progress=progress)
    progress.done("survivorship", report)
    yield dg.MaterializeResult(asset_key="golden_records", metadata={**counts(report), "dagster/row_count": report.golden_count})
    yield dg.MaterializeResult(asset_key="golden_lineage", metadata={"candidate_count": report.candidate_count})


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
        report = publish(writer, run_id=context.run.run_id)
    progress.done("views", report)
    yield dg.MaterializeResult(asset_key="customer_core", metadata={"dagster/row_count": report.core_count})


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
    """Score the sources against their targets, check the promises between the tables, and let old refused rows go."""
    with stage("audit", progress):
        writer = project.writer()
        expired = expire(writer, datetime.now(UTC), run_id=context.run.run_id)
        report = assess(writer, project.project.contracts, project.project.rulebook, run_id=context.run.run_id)
    progress.done("audit", report)
    for promise in report.promises:
        if promise.broken_count:
            progress.failed("audit", f"{promise.name}: {promise.broken_count} of {promise.judged_count} rows")
    scores = {"dagster/row_count": dg.MetadataValue.int(report.score_count), "by_source": _scores_table(report)}
    shredded = {"expired_quarantine_count": expired}
    yield dg.MaterializeResult(asset_key="quality_scores", metadata={**counts(report), **scores, **shredded})
    yield dg.MaterializeResult(
        asset_key="audit_findings",
        metadata={"dagster/row_count": len(report.below_target), "below_target": _findings_table(report)},
    )
    yield from (_promise_result(promise) for promise in report.promises)


def _findings_table(report: Assessment) -> dg.MetadataValue:
    return _table(("source_system", "attribute", "dimension", "score", "target"), report.below_target)


def _scores_table(report: Assessment) -> dg.MetadataValue:
    return _table(("source_system", "channel", "owner", "dimension", "score"), report.by_source)


def _table(names: tuple[str, ...], rows: Sequence[tuple[str | float | None, ...]]) -> dg.MetadataValue:
    records = [dg.TableRecord(dict(zip(names, row, strict=True))) for row in rows]
    types = dict.fromkeys(names, "string") | {name: "float" for name in names if name in {"score", "target"}}
    return dg.MetadataValue.table(records, schema=dg.TableSchema([dg.TableColumn(n, t) for n, t in types.items()]))


def _promise_result(promise: Promise) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=promise.name,
        asset_key="quality_scores",
        passed=promise.broken_count == 0,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"broken_count": promise.broken_count, "judged_count": promise.judged_count},
    )
