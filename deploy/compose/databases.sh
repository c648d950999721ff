#!/usr/bin/env bash
# Makes the databases and their owners, when PostgreSQL starts for the first time. The
# passwords are secrets of the container; psql reads them from its input, because the
# arguments of a program can be seen by others.
set -euo pipefail

secrets=${SECRETS_DIR:-/run/secrets}

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname "${POSTGRES_DB:-postgres}" <<SQL
\\set temporal_password \`cat "$secrets/temporal_database_password"\`
\\set store_password \`cat "$secrets/store_password"\`
CREATE ROLE temporal LOGIN PASSWORD :'temporal_password';
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
CREATE ROLE keyholder LOGIN PASSWORD :'store_password';
CREATE DATABASE keyholder OWNER keyholder;
REVOKE CONNECT ON DATABASE temporal, temporal_visibility, keyholder FROM PUBLIC;
SQL
