# shellcheck shell=bash
# What the outside clients share. Needs WORK, a folder for files that hold tokens.

fail() {
  echo "FAILED: $*" >&2
  exit 1
}

# saw <what> <text> <pattern>: prints the line that was looked for, and fails if
# there is none.
saw() {
  local line
  line=$(grep -m1 -E -- "$3" <<<"$2") || fail "$1: there is no '$3' in: $2"
  echo "  $1: $(tr -s ' \t' ' ' <<<"$line")"
}

# pick <path>: one value of the JSON answer on standard input.
pick() {
  python3 .ci/clients/pick.py "$1"
}

# account <name>: the JSON of a new account, its password random.
account() {
  python3 -c 'import json, sys, uuid; print(json.dumps({
      "email": f"{sys.argv[1]}-{uuid.uuid4()}@example.org", "password": f"quiet-{uuid.uuid4()}"}))' "$1"
}
