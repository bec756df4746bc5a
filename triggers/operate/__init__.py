"""What people ask of a running scheduler and do to it. No typer, no rich: `cli` shows what is found here.

Owns finding the scheduler that is meant (`target`), the audit of changes, and what each verb reads or does. Changes
themselves are scripts of the ledger; why something fired is `explain`'s.
"""
