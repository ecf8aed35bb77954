"""Reads a JSON answer from standard input and prints one value of it:
json.py <path>, as in `json.py tasks.0.title`."""

import json
import sys

value = json.load(sys.stdin)
for step in sys.argv[1].split("."):
    value = value[int(step)] if step.isdecimal() else value[step]
print(value)
