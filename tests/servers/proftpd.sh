#!/bin/sh
# proftpd.sh DIR PORT [DIRECTIVE...]: becomes a ProFTPD on 127.0.0.1:PORT that wants TLS session reuse (its default) and
# keeps files in DIR/root/in. With BIND it listens there. The user is `anonymous` with the password in DIR/password. DIRECTIVEs are lines of its
# configuration, besides TLS=1.2 or TLS=1.3: the only version it speaks. DIR/ca.crt and so on are by ca.sh.
set -eu
server=${HAUL_TEST_SERVERS:-$(dirname "$0")/../../target/servers}/proftpd
dir=$1 port=$2
shift 2
mkdir -p "$dir/root/in"
chown daemon "$dir/root/in"
printf 'anonymous:%s:%s:%s::%s:/bin/false\n' "$(openssl passwd -6 -in "$dir/password")" \
    "$(id -u daemon)" "$(id -g daemon)" "$dir/root" >"$dir/passwd"
chmod 600 "$dir/passwd"
{
    echo "ModulePath $(dirname "$(find "$(realpath "$server")" -name mod_tls.so)")"
    echo "LoadModule mod_tls.c"
    # First, because ProFTPD obeys the first of two directives with one name.
    for directive in "$@"; do
        case $directive in
            TLS=*) echo "TLSProtocol TLSv${directive#TLS=}" ;;
            *) echo "$directive" ;;
        esac
    done
    cat <<C
ServerName "test"
ServerType standalone
DefaultAddress ${BIND:-127.0.0.1}
SocketBindTight on
Port $port
UseIPv6 off
UseReverseDNS off
User daemon
Group daemon
PidFile $dir/pid
ScoreboardFile $dir/scoreboard
DelayEngine off
TransferLog none
WtmpLog off
LogFormat short "%m %s"
ExtendedLog $dir/log AUTH,WRITE short
AuthOrder mod_auth_file.c
AuthUserFile $dir/passwd
RequireValidShell off
DefaultRoot ~
AllowOverwrite on
AllowStoreRestart on
TLSEngine on
TLSRequired on
TLSECCertificateFile $dir/server.crt
TLSECCertificateKeyFile $dir/server.key
TLSLog $dir/tls.log
C
} >"$dir/proftpd.conf"
exec "$server/usr/sbin/proftpd" --config "$dir/proftpd.conf" --nodaemon
