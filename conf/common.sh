# conf/common.sh -- sourced by conf/run, conf/stop, conf/cluster, db/migrate:
# settings, the state directory and the embedded PostgreSQL cluster.
#
# PostgreSQL refuses to run as root: started by root, the cluster and Kore's
# workers belong to the system user postgres, which also owns the state
# directory. Otherwise everything belongs to the caller.
# shellcheck shell=bash

DUDAO_HOME=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
PG_BIN=/usr/lib/postgresql/15/bin
SOCKET_NAME=/.s.PGSQL.5432
SOCKET_PATH_MAX=107		# sun_path of unix(7), without the final NUL

say() {
	printf '%s\n' "$*"
}

die() {
	printf 'dudao: %s\n' "$*" >&2
	exit 1
}

# --- settings ---------------------------------------------------------------

# Gives every setting of conf/settings its default and checks it. All wrong
# ones are named before the end.
settings_load() {
	local line name default allowed value wrong=0

	while IFS= read -r line; do
		case $line in '' | \#*) continue ;; esac
		name=${line%%|*} line=${line#*|}
		default=${line%%|*} line=${line#*|}
		allowed=${line%|*}
		value=${!name-}
		if [ -z "$value" ]; then
			value=$default
		elif ! setting_fits "$value" "$allowed"; then
			printf 'dudao: %s=%s: allowed is %s\n' "$name" \
			    "$value" "$allowed" >&2
			wrong=1
		fi
		printf -v "$name" '%s' "$value"
	done <"$DUDAO_HOME/conf/settings"
	[ "$wrong" -eq 0 ] || exit 1
}

setting_fits() {
	local value=$1 allowed=$2

	if [[ $allowed =~ ^[0-9]+\.\.[0-9]+$ ]]; then
		[[ $value =~ ^[0-9]{1,9}$ ]] &&
		    [ "$value" -ge "${allowed%%.*}" ] &&
		    [ "$value" -le "${allowed##*.}" ]
	else
		[[ $value =~ ^($allowed)$ ]]
	fi
}

# Names of the settings that are the scripts' own: Kore does not get them.
settings_of_scripts() {
	sed -n 's/^\(DUDAO_[A-Z_]*\)|.*/\1/p' "$DUDAO_HOME/conf/settings" |
	    grep -v -x DUDAO_ENV
}

# --- state directory --------------------------------------------------------

if [ "$(id -u)" -eq 0 ]; then
	SERVICE_USER=postgres
else
	SERVICE_USER=$(id -un)
fi

as_service_user() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid=postgres --regid=postgres --init-groups \
		    -- "$@"
	else
		"$@"
	fi
}

# Can the service user enter and write this directory?
is_usable() {
	(cd / && as_service_user test -x "$1" -a -w "$1")
}

# Sets STATE to the state directory, without links, and makes it when need be.
state_open() {
	local place hash

	case $DUDAO_STATE in
	/*) place=$DUDAO_STATE ;;
	*) place=$DUDAO_HOME/$DUDAO_STATE ;;
	esac
	hash=$(printf '%s' "$place" | sha256sum | cut -c 1-12)
	STATE=$(readlink -m "$place")
	state_make

	if ! is_usable "$STATE"; then
		rmdir "$STATE" 2>/dev/null && [ "$(id -u)" -eq 0 ] &&
		    [ "$place" = "$DUDAO_HOME/var" ] ||
		    die "DUDAO_STATE=$DUDAO_STATE: the user $SERVICE_USER" \
		    "cannot enter it or write there"
		# A clone below a closed home: its database moves out.
		rm -f "$place"
		STATE=/var/lib/dudao-$hash
		state_make
		ln -s "$STATE" "$place"
	fi
	as_service_user chmod 0700 "$STATE" ||
	    die "DUDAO_STATE=$DUDAO_STATE: does not belong to $SERVICE_USER"
	as_service_user mkdir -p "$STATE/log" "$STATE/keys"
	socket_choose "$hash"
}

state_make() {
	mkdir -p "$STATE" 2>/dev/null && [ -d "$STATE" ] ||
	    die "DUDAO_STATE=$DUDAO_STATE: cannot be made"
	if [ "$(id -u)" -eq 0 ] && [ -z "$(ls -A "$STATE")" ]; then
		chown postgres:postgres "$STATE"
	fi
}

# Sets SOCKET_DIR. Remembered in the state directory, so that every script
# finds the same one.
socket_choose() {
	local hash=$1 dir=$STATE/socket

	if [ -s "$STATE/socket.path" ]; then
		SOCKET_DIR=$(cat "$STATE/socket.path")
	else
		# libpq divides hosts at commas; keep to plain characters.
		if [ $((${#dir} + ${#SOCKET_NAME})) -gt "$SOCKET_PATH_MAX" ] ||
		    [[ $dir =~ [^A-Za-z0-9._/-] ]]; then
			if [ "$(id -u)" -eq 0 ]; then
				dir=/run/dudao-$hash
			else
				dir=/tmp/dudao-$hash
			fi
		fi
		SOCKET_DIR=$dir
		printf '%s\n' "$dir" |
		    as_service_user tee "$STATE/socket.path" >/dev/null
	fi
	if [ ! -d "$SOCKET_DIR" ]; then
		mkdir -m 0700 "$SOCKET_DIR"
		[ "$(id -u)" -ne 0 ] || chown postgres:postgres "$SOCKET_DIR"
	fi
	[ "$(stat -c %U "$SOCKET_DIR")" = "$SERVICE_USER" ] ||
	    die "$SOCKET_DIR does not belong to $SERVICE_USER"
}

# --- embedded cluster -------------------------------------------------------

# cluster_url ROLE [DATABASE] prints a connection URI.
cluster_url() {
	printf 'postgresql://%s@/%s?host=%s' "$1" "${2:-dudao}" \
	    "${SOCKET_DIR//\//%2F}"
}

cluster_is_running() {
	as_service_user "$PG_BIN/pg_ctl" -D "$STATE/pg" status >/dev/null 2>&1
}

# Makes the cluster unless it is there. A half-made one never has the final
# name; "fresh" is kept until the demo county had its chance.
cluster_init() {
	[ ! -e "$STATE/pg/PG_VERSION" ] || return 0

	rm -rf "$STATE/pg.new"
	as_service_user "$PG_BIN/initdb" -D "$STATE/pg.new" -U postgres \
	    --encoding=UTF8 --locale=C.UTF-8 --data-checksums \
	    --auth-local=peer --auth-host=reject --no-instructions \
	    >"$STATE/log/initdb.log" 2>&1 || {
		cat "$STATE/log/initdb.log" >&2
		die "initdb failed"
	}
	# The socket's directory is closed to others; behind it, the service's
	# user and root may act as any of the service's roles.
	as_service_user tee "$STATE/pg.new/pg_hba.conf" >/dev/null <<-END
		local all all peer map=dudao
	END
	for user in "$SERVICE_USER" root; do
		for role in postgres dudao_owner dudao_api dudao_relay; do
			printf 'dudao %s %s\n' "$user" "$role"
		done
	done | sort -u |
	    as_service_user tee "$STATE/pg.new/pg_ident.conf" >/dev/null
	echo "include 'dudao.conf'" |
	    as_service_user tee -a "$STATE/pg.new/postgresql.conf" >/dev/null
	as_service_user touch "$STATE/fresh"
	mv "$STATE/pg.new" "$STATE/pg"
}

cluster_start() {
	cluster_init
	if cluster_is_running; then
		return 0
	fi
	as_service_user tee "$STATE/pg/dudao.conf" \
	    <"$DUDAO_HOME/conf/postgresql.conf" >/dev/null
	(cd "$STATE" && as_service_user "$PG_BIN/pg_ctl" -D "$STATE/pg" \
	    -l "$STATE/log/postgresql.log" -w -t 60 -s \
	    -o "-c listen_addresses='' -c unix_socket_directories='$SOCKET_DIR'" \
	    start) || {
		tail -n 20 "$STATE/log/postgresql.log" >&2
		die "the embedded database does not start;" \
		    "see $STATE/log/postgresql.log"
	}
	cluster_bootstrap
}

# Roles, database, extensions. Idempotent.
cluster_bootstrap() {
	local url

	url=$(cluster_url postgres postgres)
	psql -X -q -At -d "$url" -v ON_ERROR_STOP=1 <<-'END'
		select 'create database dudao'
		where not exists (select from pg_database
		    where datname = 'dudao') \gexec
	END
	psql -X -q -o /dev/null -d "$(cluster_url postgres dudao)" \
	    -v ON_ERROR_STOP=1 -f "$DUDAO_HOME/db/bootstrap.sql"
}

cluster_stop() {
	if cluster_is_running; then
		(cd "$STATE" && as_service_user "$PG_BIN/pg_ctl" \
		    -D "$STATE/pg" -m fast -w -t 60 -s stop)
	fi
}

# --- Kore -------------------------------------------------------------------

is_kore() {
	[ "$(cat "/proc/$1/comm" 2>/dev/null)" = kore ]
}

# Kore keeps one pending signal, and a dying worker's SIGCHLD may overwrite a
# SIGTERM (kore.c:773), so it is sent again until Kore is gone. Its process
# group goes at last: workers survive a parent that was killed.
kore_stop() {
	local pid=$1 deadline=$((SECONDS + ${DUDAO_DRAIN_MS:-10000} / 1000 + 15))

	while [ -e "/proc/$pid" ] && [ $SECONDS -lt $deadline ]; do
		kill -TERM "$pid" 2>/dev/null || break
		timeout 2 tail --pid="$pid" -s 0.1 -f /dev/null || :
	done
	kill -KILL -- "-$pid" 2>/dev/null || :
}

# A Kore of this state directory whose script was killed.
kore_stop_left_over() {
	local pid

	pid=$(cat "$STATE/kore.pid" 2>/dev/null) || return 0
	if [[ $pid =~ ^[0-9]+$ ]] && is_kore "$pid"; then
		say "Ending a server that was left over (pid $pid)."
		kore_stop "$pid"
	fi
	rm -f "$STATE/kore.pid"
}
