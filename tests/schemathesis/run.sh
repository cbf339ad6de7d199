#!/bin/sh
# Holds a running gateway to its own description (/openapi.json).
#
#     tests/schemathesis/run.sh URL TOKEN
#
# TOKEN is of a client with all roles and no limits; the server's vault is to be an empty one, since it
# is written to. Takes the command of PyPI's `schemathesis` (4.32) from the PATH, or from
# $SCHEMATHESIS. The seed is fixed and the number of examples bounded.
set -eu
url=${1:?URL}
token=${2:?TOKEN}
folder=$(CDPATH='' cd "$(dirname "$0")" && pwd)
# It writes what it finds into the folder that it runs in.
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
cd "$here"

hold() {
    "${SCHEMATHESIS:-schemathesis}" --config-file "$folder/schemathesis.toml" run \
        "$url/openapi.json" --url "$url" --header "Authorization: Bearer $token" \
        --seed 1 --max-examples "${EXAMPLES:-40}" --generation-database none "$@"
    # Whoever has lost the token sees refusals alone from then on.
    if ! curl --silent --fail --output /dev/null --header "Authorization: Bearer $token" \
        "$url/api/v1/providers"; then
        echo "the token has ended during the run, which has shown nothing then" >&2
        exit 1
    fi
}

# What ends a client's tokens is held apart from the list of clients, which names that of the token.
hold --exclude-operation-id rotateClient --exclude-operation-id revokeClient
hold --include-operation-id createClient --include-operation-id getClient \
    --include-operation-id rotateClient --include-operation-id revokeClient
