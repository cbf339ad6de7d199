#!/bin/sh
# Holds a running gateway to its own description (/openapi.json).
#
#     tests/schemathesis/run.sh URL TOKEN
#
# TOKEN is of a client with all roles and no limits; the server's vault is to be an empty one, since it
# is written to. Takes the command of PyPI's `schemathesis` from the PATH, or from $SCHEMATHESIS. The
# seed is fixed and the number of examples bounded, so that two runs do the same.
set -eu
url=${1:?URL}
token=${2:?TOKEN}
folder=$(CDPATH='' cd "$(dirname "$0")" && pwd)
exec "${SCHEMATHESIS:-schemathesis}" --config-file "$folder/schemathesis.toml" run \
    "$url/openapi.json" --url "$url" --header "Authorization: Bearer $token" \
    --checks all --seed 1 --max-examples "${EXAMPLES:-40}" --generation-database none
