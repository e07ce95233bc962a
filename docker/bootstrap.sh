#!/bin/sh
# Runs once, in the new database: the roles of the service with their
# passwords.
set -eu
exec psql -X -v ON_ERROR_STOP=1 -U "${POSTGRES_USER:-postgres}" -d dudao \
    -v owner_password="$OWNER_PASSWORD" -v api_password="$API_PASSWORD" \
    -v relay_password="$RELAY_PASSWORD" -f /dudao/bootstrap.sql
