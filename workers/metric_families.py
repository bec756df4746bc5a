"""Families of metrics for `prometheus_client`, made from the table of all metrics."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from workers.metric_table import METRICS, PREFIX

#: Values of the labels, and the number.
Samples = Iterable[tuple[tuple[str, ...], float]]


def gauge(name: str, samples: Samples = ()) -> GaugeMetricFamily:
    """A gauge of the table with these samples."""
    family = GaugeMetricFamily(f"{PREFIX}_{name}", METRICS[name].text, labels=METRICS[name].labels)
    for values, number in samples:
        family.add_metric(values, number)
    return family


def counters(name: str, samples: Samples = ()) -> CounterMetricFamily:
    """A counter of the table with these samples."""
    family = CounterMetricFamily(f"{PREFIX}_{name}", METRICS[name].text, labels=METRICS[name].labels)
    for values, number in samples:
        family.add_metric(values, number)
    return family


def histogram(name: str) -> HistogramMetricFamily:
    """A histogram of the table, without samples."""
    return HistogramMetricFamily(f"{PREFIX}_{name}", METRICS[name].text, labels=METRICS[name].labels)
