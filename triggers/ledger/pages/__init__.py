"""Pages and pictures of the documentation that are written from the tables and the catalog of the ledger.

Each module is a command. Nothing else imports them.
"""
