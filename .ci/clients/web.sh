#!/usr/bin/env bash
# buf curl over grpc-web, as a browser speaks it, against the one origin WEB:
# HTTP/1.1 and HTTP/2 without TLS, with the schema from proto/ and from the pair.
set -euo pipefail
cd "$(dirname "$0")/../.."
source .ci/clients/common.sh

# over <version> <arguments…>; SECONDS_AT_MOST ends what does not end by itself.
over() {
  local most=${SECONDS_AT_MOST:-20}
  case $1 in
    "HTTP/1.1") timeout "$most" buf curl --protocol grpcweb --schema proto "${@:2}" 2>&1 ;;
    "HTTP/2") timeout "$most" buf curl --protocol grpcweb --http2-prior-knowledge "${@:2}" 2>&1 ;;
  esac
}

for version in HTTP/1.1 HTTP/2; do
  account=$(account web)
  answer=$(over $version -d @- "http://$WEB/auth.v1.AuthService/SignUp" <<<"$account") || fail "no sign-up: $answer"
  saw "$version signed up" "$(pick user.name <<<"$answer")" '^users/[0-9a-f-]{36}$'
  header=$WORK/header
  (umask 077 && echo "authorization: Bearer $(pick credentials.accessToken <<<"$answer")" >"$header")
  answer=$(over $version -H "@$header" -d '{"task":{"title":"From a page"}}' \
    "http://$WEB/task.v1.TaskService/CreateTask") || fail "no task: $answer"
  saw "$version created" "$answer" '"title": "From a page"'
  answer=$(over $version -H "@$header" -d '{}' "http://$WEB/task.v1.TaskService/ListTasks") || fail "no list: $answer"
  saw "$version listed" "$(pick tasks.0.title <<<"$answer")" '^From a page$'
  answer=$(SECONDS_AT_MOST=3 over $version -H "@$header" -d '{}' "http://$WEB/task.v1.TaskService/WatchTasks") || true
  saw "$version watched, a task" "$answer" '"title": "From a page"'
  saw "$version watched, current" "$answer" '"current": *\{\}'
  answer=$(over $version -d '{}' "http://$WEB/task.v1.TaskService/ListTasks") && fail "a list without a token: $answer"
  saw "$version no token" "$answer" 'unauthenticated'
  saw "$version no token, details" "$answer" 'google\.rpc\.ErrorInfo'
done
