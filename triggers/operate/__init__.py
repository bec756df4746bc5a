"""What people ask of a running scheduler and do to it. No typer, no rich: `cli` shows what is found here."""
