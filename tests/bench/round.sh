# One round, inside the sandbox; see put.sh.
set -eu
api() { curl -sS -X POST "$@"; }
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

# curl's own way in: tokens, addresses and an entry's upload name, fetched before the clock runs.
IO=$HAUL_REMOTE_IOGATES_URL
TOKEN=$(api "$IO/api/authtoken" -H 'content-type: application/json' \
    -d "{\"username\":\"$HAUL_REMOTE_IOGATES_USERNAME\",\"password\":\"$HAUL_REMOTE_IOGATES_PASSWORD\"}" | field token)
INFO=$(curl -sS "$IO/api/authinfo/$TOKEN" -H "token: $TOKEN")
FTP=$(echo "$INFO" | sed 's/.*"ftp":{\([^}]*\)}.*/\1/')
FTP_URL="ftp://$(echo "$FTP" | field server):$(echo "$FTP" | sed 's/.*"port":\([0-9]*\).*/\1/')"
FTP_USER="$(echo "$FTP" | field username):$(echo "$FTP" | field password)"
TUS=$(echo "$INFO" | sed 's/.*"tus":{\([^}]*\)}.*/\1/' | field server)
G0=$HAUL_REMOTE_GIGA0_URL
LOGIN=$(api "$G0/api/v2/authorize" -d "username=$HAUL_REMOTE_GIGA0_USERNAME" -d "password=$HAUL_REMOTE_GIGA0_PASSWORD")
ACCESS=$(echo "$LOGIN" | field access_token)
ACCOUNT=$(echo "$LOGIN" | field account_id)

curl_tus() {
    # In pieces of what the server allows in one request.
    length=$(stat -c %s "$1"); offset=0
    location=$(curl -sS -D - -o /dev/null -X POST "$TUS" -H 'Tus-Resumable: 1.0.0' -H "Upload-Length: $length" \
        -H "Upload-Metadata: filename $(printf x | base64)" | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
    case $location in http*) ;; *) location=$IO$location ;; esac
    while [ "$offset" -lt "$length" ]; do
        dd if="$1" bs=1M skip=$((offset / 1048576)) count=32 status=none | curl -sS -f -o /dev/null -X PATCH "$location" \
            -H 'Tus-Resumable: 1.0.0' -H 'Expect:' -H "Upload-Offset: $offset" -H 'Content-Type: application/offset+octet-stream' --data-binary @-
        offset=$((offset + 33554432))
    done
}
curl_ftps() { curl -sS -f --ssl-reqd --tls-max 1.2 --cacert "$HAUL_REMOTE_IOGATES_CA_FILE" -u "$FTP_USER" -T "$1" "$FTP_URL/bench-$$.download"; }
curl_form() { curl -sS -f -o /dev/null -H 'Expect:' -F "access_token=$ACCESS" -F "account_id=$ACCOUNT" -F "upload_file=@$1" "$G0/api/v2/file/upload"; }

measure() { # NAME COMMAND...: a line "NAME seconds cpu rss_kib" in the log
    name=$1; shift
    /usr/bin/time -f "$name %e %U %S %M" -a -o "$WORK/log" "$@" > /dev/null 2>> "$WORK/errors" || { echo "$name failed" >&2; tail -3 "$WORK/errors" >&2; exit 1; }
}
export IO TUS FTP_URL FTP_USER G0 ACCESS ACCOUNT
as_script() { printf '%s\n' "set -eu" "$(sed -n '/^curl_/,/^}/p' tests/bench/round.sh)" "$1 \"\$1\"" > "$WORK/$1.sh"; }
for peer in curl_tus curl_ftps curl_form; do as_script $peer; done

for protocol in tus plupload ftps; do
    measure "big-$protocol-haul" "$HAUL" put -q --protocol $protocol "$WORK/big" "iogates:/b-$protocol"
    measure "small-$protocol-haul" "$HAUL" put -q --protocol $protocol "$WORK/small/" "iogates:/s-$protocol/"
done
measure "big-tus-curl" sh "$WORK/curl_tus.sh" "$WORK/big"
measure "big-ftps-curl" sh "$WORK/curl_ftps.sh" "$WORK/big"
measure "big-giga0-curl" sh "$WORK/curl_form.sh" "$WORK/big"
for remote in giga0 fileago; do
    measure "big-$remote-haul" "$HAUL" put -q "$WORK/big" "$remote:/b"
    measure "small-$remote-haul" "$HAUL" put -q "$WORK/small/" "$remote:/s/"
done
