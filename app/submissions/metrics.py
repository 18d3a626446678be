"""What a monitoring system reads, in Prometheus' text format: the queue, and what each worker's pool holds.

All of it comes from the database, so that any process of the site can answer for all workers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from app.submissions.models import WorkerRow


class Collector:
    """Turns rows into metrics."""

    def __init__(self, queue: Mapping[str, int], workers: Sequence[WorkerRow]) -> None:
        self._queue, self._workers = queue, workers

    def collect(self) -> Iterator[Metric]:
        """Yield every metric."""
        line = GaugeMetricFamily("greenroom_submissions", "Submissions that have no verdict yet.", labels=["stage"])
        for stage, count in self._queue.items():
            line.add_metric([stage], count)
        yield line
        takes = CounterMetricFamily(
            "greenroom_pool_takes", "Boxes and judges taken, made ahead or not.", labels=["worker", "made"]
        )
        ready = GaugeMetricFamily("greenroom_pool_ready", "Boxes and judges made ahead.", labels=["worker", "sort"])
        held = GaugeMetricFamily("greenroom_pool_memory_bytes", "Memory they hold.", labels=["worker", "sort"])
        for worker in self._workers:
            takes.add_metric([worker.name, "ahead"], worker.pool["warm"])
            takes.add_metric([worker.name, "cold"], worker.pool["cold"])
            for shelf in worker.pool["shelves"]:
                ready.add_metric([worker.name, shelf["label"]], shelf["ready"])
                held.add_metric([worker.name, shelf["label"]], shelf["memory_bytes"])
        yield from (takes, ready, held)


def exposition(queue: Mapping[str, int], workers: Sequence[WorkerRow]) -> bytes:
    """Return the page that is scraped."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collector(queue, workers))
    return generate_latest(registry)
