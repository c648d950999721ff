#!/bin/sh
# Makes Temporal's tables and brings them up to date; it may run as often as you like.
set -eu

SQL_PASSWORD="$(cat "$SQL_PASSWORD_FILE")"
export SQL_PASSWORD

temporal-sql-tool --db temporal setup-schema --version 0.0
temporal-sql-tool --db temporal update-schema --schema-dir "$SCHEMA/temporal/versioned"
temporal-sql-tool --db temporal_visibility setup-schema --version 0.0
temporal-sql-tool --db temporal_visibility update-schema --schema-dir "$SCHEMA/visibility/versioned"
