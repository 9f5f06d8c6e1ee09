#!/bin/sh
# GNU parallel: a share for each of the hosts in a file, over ssh. All of them see the folder under the same path.
#   ./parallel.sh hosts /data/rushes studio:/rushes/
# A line ":" in the file of hosts is this machine, without ssh.
set -eu
n=$(grep -c . "$1")
seq "$n" | parallel --will-cite --jobs 1 --sshloginfile "$1" --halt soon,fail=1 --retries 3 \
    haul put "$2" "$3" --shard "{}/$n" --receipt "receipt-{}.jsonl"
