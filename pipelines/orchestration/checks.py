"""The blocking checks: one judgement of the build, shown at every table it speaks of.

`quality` judges and stores the verdict; this module only hands its results to Dagster. A failing check stops the
release in the same run; in any other run the release refuses by itself.
"""

# No postponed annotations here: Dagster looks at the types of its functions as they are written.
from collections.abc import Iterator

import dagster as dg

from pipelines import quality
from pipelines.orchestration.names import BUILD, model_key
from pipelines.orchestration.visits import failure_of, present_build, retry_policy, visit
from pipelines.records import CheckResult, Verdict
from pipelines.run import blocked
from pipelines.settings import Settings

QUALITY, DELIVERIES, VERDICT = "quality", "deliveries", "verdict"


def check_specs(judged_models: list[str]) -> list[dg.AssetCheckSpec]:
    """A check per table with checks of its own, one for the deliveries, and one for the verdict on the whole build."""
    return [
        *(
            dg.AssetCheckSpec(
                QUALITY, asset=model_key(model), blocking=True, description=f"All checks of the table {model}."
            )
            for model in judged_models
        ),
        dg.AssetCheckSpec(
            DELIVERIES, asset=BUILD, blocking=True, description="All checks of what departments delivered."
        ),
        dg.AssetCheckSpec(
            VERDICT,
            asset=BUILD,
            blocking=True,
            description="The stored verdict on this build: every check of every kind, and that none is missing.",
        ),
    ]


def quality_checks(settings: Settings, judged_models: list[str]) -> dg.AssetChecksDefinition:
    """Judge the present build once, and give each selected check its part of the results."""

    @dg.multi_asset_check(
        specs=check_specs(judged_models), name="judge", can_subset=True, retry_policy=retry_policy(settings)
    )
    def judge(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        with visit(settings, context, alone="judged") as watched:
            session = watched.session
            build = present_build(session)
            verdict = session.judge(build)
            results = quality.read_results(build)
            refusal = blocked(session, build, verdict) if verdict.outcome != "pass" else None
            if refusal is not None:
                watched.failed(refusal)
        selected = context.selected_asset_check_keys
        for key in sorted(selected, key=lambda key: (key.name == VERDICT, key.to_user_string())):
            if key.name == VERDICT:
                yield of_verdict(verdict, results)
            elif key.name == DELIVERIES:
                yield of_results(key, [r for r in results if r.source == "intake"])
            else:
                yield of_results(key, [r for r in results if r.subject == key.asset_key.path[-1]])
        if refusal is not None and dg.AssetCheckKey(BUILD, VERDICT) in selected:
            # Dagster would say only how many checks failed; ours says which, where, and what to do.
            raise failure_of(refusal) from None

    return judge


def of_results(key: dg.AssetCheckKey, results: list[CheckResult]) -> dg.AssetCheckResult:
    """The results about one subject as one of Dagster's. No result at all is not a pass."""
    blocking = [result for result in results if result.blocks]
    noticed = [result for result in results if result.outcome in ("fail", "error", "waived", "held")]
    warnings = [result for result in noticed if not result.blocks and result.outcome != "waived"]
    if not results:
        said = "no check speaks of it"
    elif blocking:
        said = f"{len(blocking)} of {len(results)} checks block"
    else:
        said = f"{len(results)} checks, none blocks" + (f", {len(warnings)} warn" if warnings else "")
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=bool(results) and not blocking and not warnings,
        severity=dg.AssetCheckSeverity.ERROR if blocking or not results else dg.AssetCheckSeverity.WARN,
        description=said,
        metadata={
            "checks": len(results),
            "blocking": len(blocking),
            "warnings": len(warnings),
            **({"noticed": _table(noticed)} if noticed else {}),
        },
    )


def of_verdict(verdict: Verdict, results: list[CheckResult]) -> dg.AssetCheckResult:
    """The verdict as a check of the build."""
    noticed = [result for result in results if result.outcome in ("fail", "error", "waived", "held")]
    return dg.AssetCheckResult(
        asset_key=BUILD,
        check_name=VERDICT,
        passed=verdict.outcome == "pass",
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{verdict.outcome}: {verdict.passed} passed, {verdict.failed} failed, {verdict.errors} error(s), "
        f"{verdict.warnings} warning(s), {verdict.waived} waived, {verdict.not_applicable} not applicable",
        metadata={
            "build": verdict.build_id,
            "judged_at": verdict.judged_at,
            "valid_until": verdict.valid_until or "no end",
            "checks": len(results),
            "blocking": len(verdict.blocking),
            "against": verdict.against or "no release",
            "carried_over": ", ".join(f"{item['table']} as in {item['from_release']}" for item in verdict.carried_over)
            or "no table",
            **({"noticed": _table(noticed)} if noticed else {}),
        },
    )


def _table(results: list[CheckResult]) -> dg.TableMetadataValue:
    columns = ["check", "severity", "outcome", "observed", "expected", "where"]
    return dg.MetadataValue.table(
        records=[
            dg.TableRecord(
                {
                    "check": r.check_id,
                    "severity": r.severity,
                    "outcome": r.outcome,
                    "observed": r.observed,
                    "expected": r.expected,
                    "where": r.locations[:500],
                }
            )
            for r in results
        ],
        schema=dg.TableSchema([dg.TableColumn(name, "string") for name in columns]),
    )
