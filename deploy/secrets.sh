#!/bin/sh
# Makes the secrets that docker-compose.yml mounts, each once: what is there is
# never overwritten, because the database and the sealed keys depend on it.
#
# The folder is for its owner alone. The files in it can be read by whoever gets
# them mounted, because the services run under an id that is nobody's here.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
chmod 700 secrets

# make <name> <command…>: keeps what the command prints in a file, which appears
# whole or not at all.
make() {
  file=secrets/$1
  shift
  if [ -e "$file" ]; then
    echo "$file is there already"
    return
  fi
  "$@" >"$file.new"
  chmod 444 "$file.new"
  mv "$file.new" "$file"
  echo "made $file"
}

# url <role> <database>: with a password of letters and digits, so that nothing
# in it needs escaping.
url() {
  password=$(openssl rand -hex 24)
  echo "postgres://$1:$password@postgres:5432/$2"
}

make postgres_password openssl rand -hex 24
make auth_owner_database_url url auth_owner auth
make auth_database_url url auth_app auth
make task_owner_database_url url tasks_owner tasks
make task_database_url url tasks_app tasks
make auth_key_encryption_key openssl rand -base64 32
make task_page_token_key openssl rand -base64 32
