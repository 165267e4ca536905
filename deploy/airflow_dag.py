"""Materialization by Airflow, for those who have it already.

`fs materialize-incremental END` brings in all that is new up to END, wherever the run before came to:
there is no state in Airflow that could disagree with the tables. So every task here may be retried,
cleared and run again, and leaves what one run leaves:

    cleared, of a past interval    the tables are further already: nothing to do, exit status 0
    an interval was missed         the next one brings in both
    killed in the middle           the next attempt takes over, within half a minute, and goes on at the
                                   chunk that it was in
    two at once                    the second waits for the first, and fails after a minute (1)

Exit status: 0 done, 1 failed or somebody else is at it, 2 the input was wrong or a store is away.

`END` is the end of the data interval. A scheduled run has it in the past; one that is triggered by hand
with a later one is refused, because rows that arrive until then would be skipped.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow import DAG
from airflow.models.param import Param

try:  # Airflow 3
    from airflow.providers.standard.operators.bash import BashOperator
except ImportError:  # Airflow 2
    from airflow.operators.bash import BashOperator

#: The folder with `feature_store.yaml`, on the workers.
REPO = "/repo"

#: The end of the data interval, as `fs` reads it.
END = "{{ data_interval_end.in_timezone('UTC').strftime('%Y-%m-%dT%H:%M:%SZ') }}"

DEFAULTS = {
    "owner": "features",
    "retries": 3,
    "retry_delay": timedelta(seconds=30),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=10),
    "execution_timeout": timedelta(hours=2),
}

with DAG(
    dag_id="fs_materialize_incremental",
    description="What is new, from the sources to the offline and the online store",
    schedule="*/15 * * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    # Intervals that were missed are covered by the next run: nothing is to be caught up one by one.
    catchup=False,
    # `fs` would make a second run wait; here it does not even take a slot.
    max_active_runs=1,
    default_args=DEFAULTS,
    doc_md=__doc__,
) as incremental:
    # Views that are computed from other views come after them.
    sources = BashOperator(
        task_id="views_of_sources",
        bash_command=f"fs -C {REPO} materialize-incremental '{END}' --views origin_weather,carrier_delays",
    )
    derived = BashOperator(
        task_id="views_of_views",
        bash_command=f"fs -C {REPO} materialize-incremental '{END}' --views delay_trends",
    )
    sources >> derived

with DAG(
    dag_id="fs_materialize_window",
    description="Replace a window again: after a correction of the sources, or a new definition",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    max_active_runs=1,
    default_args=DEFAULTS,
    params={
        "start": Param("2026-01-01T00:00:00Z", type="string", format="date-time"),
        "end": Param("2026-01-02T00:00:00Z", type="string", format="date-time"),
        "views": Param("origin_weather", type="string"),
    },
    doc_md="`fs materialize START END --views …`. Rows that were pushed stay.",
) as window:
    BashOperator(
        task_id="replace_window",
        bash_command=f'fs -C {REPO} materialize "$START" "$END" --views "$VIEWS"',
        # Through the environment, so that no parameter is read as part of the command.
        env={
            "START": "{{ params.start }}",
            "END": "{{ params.end }}",
            "VIEWS": "{{ params.views }}",
        },
        append_env=True,
    )

try:
    from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
except ImportError:
    # Workers that have `fs` need no pods.
    pass
else:
    with DAG(
        dag_id="fs_materialize_incremental_pod",
        description="The same in a pod of its own, with memory of its own",
        schedule="*/15 * * * *",
        start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
        catchup=False,
        max_active_runs=1,
        default_args=DEFAULTS,
    ) as pod:
        KubernetesPodOperator(
            task_id="all_views",
            name="fs-materialize",
            image="fs",
            # The image's entrypoint is `fs -C /repo`.
            arguments=["materialize-incremental", END],
            on_finish_action="delete_succeeded_pod",
        )
