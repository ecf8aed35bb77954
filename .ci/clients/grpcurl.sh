#!/usr/bin/env bash
# grpcurl against both services, each at its own port: what somebody does who
# knows nothing but the addresses AUTH and TASK.
set -euo pipefail
cd "$(dirname "$0")/../.."
source .ci/clients/common.sh

# Tokens and passwords travel by the environment and by pipes, never as arguments.
call() {
  timeout 20 grpcurl -plaintext -max-time 10 -expand-headers "$@" 2>&1
}
as_user=(-H "authorization: Bearer \${TOKEN}")

saw "services at auth" "$(call "$AUTH" list)" 'auth\.v1\.AuthService'
saw "services at task" "$(call "$TASK" list)" 'task\.v1\.TaskService'
saw "a method with its comment" "$(call "$TASK" describe task.v1.TaskService.CreateTask)" '// Makes a task'

account=$(account grpcurl)
answer=$(call -d @ "$AUTH" auth.v1.AuthService/SignUp <<<"$account") || fail "no sign-up: $answer"
saw "signed up" "$(pick user.name <<<"$answer")" '^users/[0-9a-f-]{36}$'
answer=$(call -d @ "$AUTH" auth.v1.AuthService/SignIn <<<"$account") || fail "no sign-in: $answer"
TOKEN=$(pick credentials.accessToken <<<"$answer")
export TOKEN
saw "signed in" "$(pick user.name <<<"$answer")" '^users/[0-9a-f-]{36}$'

answer=$(call "${as_user[@]}" -d '{"task":{"title":"From grpcurl"}}' "$TASK" task.v1.TaskService/CreateTask) ||
  fail "no task: $answer"
saw "created" "$answer" '"title": "From grpcurl"'
answer=$(call "${as_user[@]}" "$TASK" task.v1.TaskService/ListTasks) || fail "no list: $answer"
saw "listed" "$(pick tasks.0.title <<<"$answer")" '^From grpcurl$'

answer=$(call -d '{"email":"x","password":"1"}' "$AUTH" auth.v1.AuthService/SignUp) && fail "this is no account: $answer"
saw "two bad fields, code" "$answer" 'Code: InvalidArgument'
saw "two bad fields, reason" "$answer" '"reason": "FIELD_INVALID"'
saw "two bad fields, one" "$answer" '"field": "email"'
saw "two bad fields, the other" "$answer" '"field": "password"'
answer=$(call "$TASK" task.v1.TaskService/ListTasks) && fail "a list without a token: $answer"
saw "no token" "$answer" '"reason": "TOKEN_MISSING"'
