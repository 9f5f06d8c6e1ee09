#!/bin/sh
# Installs what the FTP tests need and this machine has not: vsftpd and openssl as packages, and tmux, zsh and fish for the tests of terminal and shells; ProFTPD and pure-ftpd unpacked into
# ${HAUL_TEST_SERVERS:-target/servers}, because Debian's FTP servers can't be installed side by side.
# Needs Debian, and root or sudo for what is missing. May be run any number of times.
set -eu
cd "$(dirname "$0")/../.."
servers=${HAUL_TEST_SERVERS:-target/servers}
cache=$servers/proftpd

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

updated=
update() {
    [ -n "$updated" ] || as_root apt-get update -qq >/dev/null
    updated=yes
}

log=$(mktemp)
policy=/usr/sbin/policy-rc.d
own_policy=
clean_up() {
    rm -f "$log"
    [ -z "$own_policy" ] || as_root rm -f $policy
}
trap clean_up EXIT

# Packages start their services when they are installed, unless a policy forbids it.
install() {
    update
    if [ ! -e $policy ]; then
        own_policy=yes
        printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
        as_root chmod 755 $policy
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >"$log" 2>&1 ||
        { cat "$log" >&2; exit 1; }
}

PATH=$PATH:/usr/sbin:/sbin
missing=
for program in vsftpd openssl tmux zsh fish; do
    command -v $program >/dev/null || missing="$missing $program"
done
[ -z "$missing" ] || install $missing

# unpack FOLDER PACKAGE...
unpack() {
    folder=$1
    shift
    update
    rm -rf "$folder.new"
    mkdir -p "$folder.new"
    (cd "$folder.new" && chmod 755 . && apt-get download -qq "$@" >"$log" 2>&1) || { cat "$log" >&2; exit 1; }
    for package in "$folder.new"/*.deb; do
        dpkg -x "$package" "$folder.new"
        rm "$package"
    done
    rm -rf "$folder"
    mv "$folder.new" "$folder"
}

if [ ! -x "$cache/usr/sbin/proftpd" ] || [ -z "$(find "$cache" -name mod_tls.so)" ]; then
    unpack "$cache" proftpd-core proftpd-mod-crypto
fi

pure=$servers/pure-ftpd
[ -x "$pure/usr/sbin/pure-ftpd" ] && [ -x "$pure/usr/bin/pure-pw" ] || unpack "$pure" pure-ftpd pure-ftpd-common
if ldd "$pure/usr/sbin/pure-ftpd" "$pure/usr/bin/pure-pw" | grep -q 'not found'; then
    update
    install $(apt-cache depends pure-ftpd | sed -n 's/^ *Depends: \(lib[^ ]*\)$/\1/p' | sort -u)
fi
if ldd "$pure/usr/sbin/pure-ftpd" "$pure/usr/bin/pure-pw" | grep 'not found' >&2; then
    echo "install.sh: pure-ftpd lacks these libraries" >&2
    exit 1
fi

modules=$(dirname "$(find "$cache" -name mod_tls.so)")
if ldd "$cache/usr/sbin/proftpd" "$modules/mod_tls.so" | grep -q 'not found'; then
    update
    install $(apt-cache depends proftpd-core proftpd-mod-crypto | sed -n 's/^ *Depends: \(lib[^ ]*\)$/\1/p' | sort -u)
fi
if ldd "$cache/usr/sbin/proftpd" "$modules/mod_tls.so" | grep 'not found' >&2; then
    echo "install.sh: proftpd lacks these libraries" >&2
    exit 1
fi
