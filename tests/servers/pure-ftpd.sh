#!/bin/sh
# pure-ftpd.sh DIR PORT [OPTION...]: becomes a pure-ftpd on 127.0.0.1:PORT that takes sign-ins with and without TLS and keeps files
# in DIR/root/in. The user is `user` with the password in DIR/password. OPTIONs are its own (`--autorename`). DIR/ca.crt and so on
# are by ca.sh.
set -eu
server=$(realpath "${HAUL_TEST_SERVERS:-$(dirname "$0")/../../target/servers}/pure-ftpd")
dir=$1 port=$2
shift 2
mkdir -p "$dir/root/in"
chown daemon "$dir/root/in"
cat "$dir/server.crt" "$dir/server.key" >"$dir/server.pem"
chmod 600 "$dir/server.pem"
# Its own hash would cost seconds a sign-in.
printf 'user:%s:%s:%s::%s/./::::::::::::\n' "$(openssl passwd -6 -in "$dir/password")" \
    "$(id -u daemon)" "$(id -g daemon)" "$dir/root" >"$dir/passwd"
chmod 600 "$dir/passwd"
"$server/usr/bin/pure-pw" mkdb "$dir/users.pdb" -f "$dir/passwd"
exec "$server/usr/sbin/pure-ftpd" --bind "127.0.0.1,$port" --login "puredb:$dir/users.pdb" --noanonymous --minuid 1 --tls 1 \
    --certfile "$dir/server.pem" --dontresolve --maxclientsperip 50 --umask 022:022 "$@"
