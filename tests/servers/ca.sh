#!/bin/sh
# ca.sh DIR [NAME...]: makes a throw-away authority and a certificate for localhost there: ca.crt, server.crt, server.key. NAMEs are
# more of whom the certificate speaks, as `IP:10.0.0.1`.
set -eu
dir=$1
shift
mkdir -p "$dir"
cd "$dir"
names=$(printf ",%s" DNS:localhost IP:127.0.0.1 IP:::1 "$@")
key="ec -pkeyopt ec_paramgen_curve:P-256"
{
    openssl req -x509 -newkey $key -nodes -days 2 -subj "/CN=throw-away authority" -keyout ca.key -out ca.crt \
        -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign"
    openssl req -newkey $key -nodes -subj "/CN=localhost" -keyout server.key -out server.csr
    printf '%s\n' "subjectAltName=${names#,}" "extendedKeyUsage=serverAuth" >server.ext
    openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile server.ext -out server.crt
} 2>openssl.log || { cat openssl.log >&2; exit 1; }
