# shellcheck shell=bash
# The servers around a private Mesher: how each is started and stopped. Sourced by development/stack, which sets
# $here, $root, $run, $sockets, $rundir, $port and $operator_port.

# Stops the process whose number is in a file, and returns when it has ended. The name is compared, because after a crash
# the number may belong to another process by now.
stop() {
    local file=$1 name=$2 signal=$3 pid
    pid=$(cat "$file" 2>/dev/null) || return 0
    [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$name" ] || return 0
    kill -"$signal" "$pid" 2>/dev/null || return 0
    # One that somebody has stopped would not notice.
    kill -CONT "$pid" 2>/dev/null || true
    local deadline=$((SECONDS + 70))
    while lives "$pid"; do
        if ((SECONDS > deadline)); then
            echo "stack: $name ($pid) did not stop, killing it" >&2
            kill -KILL "$pid" 2>/dev/null || true
            return
        fi
        sleep 0.05
    done
}

# A zombie does not: in a container, process 1 may be one that never waits for those it inherits.
lives() {
    local state
    state=$(sed -n 's/^State:[[:space:]]*\([A-Z]\).*/\1/p' "/proc/$1/status" 2>/dev/null) || return 1
    [ -n "$state" ] && [ "$state" != Z ]
}

# PostgreSQL refuses to run as root.
as_postgres() {
    if [ "$(id -u)" -eq 0 ]; then
        (cd / && exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$@")
    else
        "$@"
    fi
}

postgresql_programs() {
    local folders=(/usr/lib/postgresql/*/bin)
    printf '%s\n' "${folders[@]}" | sort --version-sort | tail -n 1
}

# The cluster is below the run folder; when PostgreSQL's user cannot get there (root's home), in /var/tmp, with a link.
find_cluster() {
    if ! [ -e "$run/postgresql" ]; then
        rm -f "$run/postgresql"
        if [ "$(id -u)" -ne 0 ] || as_postgres test -x "$run"; then
            mkdir -m 700 "$run/postgresql"
        else
            ln -s "$(mktemp -d /var/tmp/mesher.XXXXXX)" "$run/postgresql"
        fi
        [ "$(id -u)" -ne 0 ] || chown postgres:postgres "$run/postgresql/."
    fi
    pgdata=$(readlink -f "$run/postgresql")
}

# Reachable by its unix socket only, in a folder that no other user gets into; so no password is asked for.
start_postgresql() {
    local programs
    programs=$(postgresql_programs)
    find_cluster
    if ! [ -e "$pgdata/PG_VERSION" ]; then
        as_postgres "$programs/initdb" --pgdata="$pgdata" --username=postgres --auth=trust --encoding=UTF8 \
            --locale=C.UTF-8 --no-instructions >"$run/initdb.log" 2>&1 || fail "initdb failed; see $run/initdb.log"
    fi
    mkdir -m 700 "$sockets/postgresql"
    [ "$(id -u)" -ne 0 ] || chown postgres:postgres "$sockets/postgresql"
    as_postgres "$programs/pg_ctl" --pgdata="$pgdata" --log="$pgdata/server.log" --silent --wait \
        --options="-k $sockets/postgresql -c listen_addresses=''" start </dev/null >/dev/null ||
        fail "PostgreSQL does not start; see $pgdata/server.log"
    owner_url="postgresql://mesher_owner@/mesher?host=$sockets/postgresql"
    storage_url="postgresql://mesher_storage@/mesher?host=$sockets/postgresql"
    create_database
}

# The owner makes the schema and reads everything; storage may only what its membership in mesher_runtime allows.
create_database() {
    administer postgres >/dev/null <<'END'
SELECT 'CREATE ROLE mesher_owner LOGIN CREATEROLE IN ROLE pg_read_all_data, pg_monitor'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mesher_owner') \gexec
SELECT 'CREATE ROLE mesher_storage LOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mesher_storage') \gexec
SELECT 'CREATE DATABASE mesher OWNER mesher_owner'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'mesher') \gexec
END
}

# After the migration, which creates mesher_runtime.
let_storage_in() {
    administer mesher <<<'GRANT mesher_runtime TO mesher_storage;' >/dev/null
}

# Reads SQL from standard input, as the superuser of the cluster.
administer() {
    PGOPTIONS="-c client_min_messages=warning" \
        psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --host="$sockets/postgresql" --username=postgres --dbname="$1"
}

# The rows of one query, columns parted by "|".
query() {
    psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 --dbname="$owner_url" --command="$1"
}

stop_postgresql() {
    local data
    data=$(readlink -f "$run/postgresql" 2>/dev/null) || return 0
    [ -e "$data/postmaster.pid" ] || return 0
    as_postgres "$(postgresql_programs)/pg_ctl" --pgdata="$data" --silent --wait --mode=fast stop >/dev/null 2>&1 || true
}

# Counters only, so nothing is kept on disk.
start_redis() {
    redis-server --port 0 --unixsocket "$sockets/redis.sock" --unixsocketperm 700 --save '' --appendonly no \
        --daemonize yes --pidfile "$sockets/redis.pid" --logfile "$run/redis.log" --dir "$run" >/dev/null
    local deadline=$((SECONDS + 20))
    until [ "$(redis-cli -s "$sockets/redis.sock" ping 2>/dev/null)" = PONG ]; do
        ((SECONDS < deadline)) || fail "Redis does not start; see $run/redis.log"
        sleep 0.05
    done
}

# The files that are shipped, with the paths and ports of this stack.
start_nginx() {
    local user='' file
    # As root, nginx would go over to a user who may not open Mesher's sockets.
    [ "$(id -u)" -ne 0 ] || user='user root;'
    mkdir -p "$run/nginx"
    for file in "$root"/nginx/*.conf "$here/nginx.conf"; do
        sed -e "s|/run/mesher|$rundir|g" -e 's|/usr/local/share/mesher/nginx/||g' -e "s#/usr/local/share/mesher#$root#g" -e 's|/var/log/nginx/||g' -e 's|/etc/nginx/mesher|mesher|g' \
            -e "s|127\.0\.0\.1:9464|127.0.0.1:$operator_port|g" -e "s|@USER@|$user|g" -e "s|@PORT@|$port|g" \
            -e "s|@SOCKETS@|$sockets|g" "$file" >"$run/nginx/${file##*/}"
    done
    nginx -p "$run/nginx/" -c "$run/nginx/nginx.conf" -e error.log </dev/null ||
        fail "nginx does not start; is another stack on port $port? See $run/nginx/error.log"
}
