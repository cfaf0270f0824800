#!/bin/sh
# Secrets are files until the process that needs them: each NAME_FILE below becomes NAME with what is in the file.
# Then the command is run in our place. Containers and systemd units both begin here.
set -eu

read_file() { # the variable NAME; the file named by $2
    if [ ! -s "$2" ]; then
        echo "entrypoint: the file of $1 is missing or empty: $2" >&2
        exit 78
    fi
    cat "$2"
}

for name in PREFECT_API_AUTH_STRING PREFECT_SERVER_API_AUTH_STRING PREFECT_SERVER_DATABASE_CONNECTION_URL; do
    eval "file=\${${name}_FILE:-}"
    if [ -n "$file" ]; then
        value=$(read_file "$name" "$file")
        export "$name=$value"
        unset "${name}_FILE"
    fi
done

if [ -n "${REDIS_URL_FILE:-}" ]; then # events, cleanup orders and the services' schedule: one Redis under three names
    value=$(read_file REDIS_URL "$REDIS_URL_FILE")
    export PREFECT_REDIS_MESSAGING_URL="$value" PREFECT_REDIS_WORKER_CLEANUP_QUEUE_URL="$value" PREFECT_SERVER_DOCKET_URL="$value"
    unset REDIS_URL_FILE
fi

exec "$@"
