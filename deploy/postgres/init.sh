#!/bin/bash
# Makes the roles and databases of both services when the data folder is new.
# The same as `shared::database::provision`, and passwords: each is taken from
# the URL that its user is given.
set -euo pipefail

# password <secret>: the password in a database URL.
password() {
  local url
  url=$(</run/secrets/"$1")
  url=${url#*://*:}
  echo "${url%%@*}"
}

# The passwords go by the environment: arguments can be seen by others.
service() {
  OWNER_PASSWORD=$(password "$2") APP_PASSWORD=$(password "$3") \
    psql --no-psqlrc --quiet --username "$POSTGRES_USER" --dbname postgres \
    --set ON_ERROR_STOP=1 --set schema="$1" --set owner="$1_owner" --set app="$1_app" <<'SQL'
\getenv owner_password OWNER_PASSWORD
\getenv app_password APP_PASSWORD
create role :"owner" login nosuperuser nobypassrls password :'owner_password';
create role :"app" login nosuperuser nobypassrls password :'app_password';
create database :"schema" owner :"owner";
revoke all on database :"schema" from public;
grant connect on database :"schema" to :"app";
SQL
}

service auth auth_owner_database_url auth_database_url
service tasks task_owner_database_url task_database_url
