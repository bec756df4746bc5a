"""`python -m clearml_triggers.workers.metrics` serves metrics for Prometheus; `exporter` is what it serves."""

from __future__ import annotations

from triggers.base.entry_point import ended_in_one_line


def main() -> None:
    """Serve until SIGTERM or SIGINT. Errors a person can fix are one line."""
    with ended_in_one_line():
        from workers import exporter

        exporter.main()


if __name__ == "__main__":
    main()
