#!/bin/sh
# What `haul put` costs, side by side with curl, in turn, against the same stand-ins in one run:
#
#     cargo build --release && tests/bench/put.sh [SIZE_MIB] [SMALL_FILES] [ROUNDS]
#
# Prints the median wall time, client CPU and peak memory of each contender. curl sends the bytes alone (one request, no
# entry, no checksum, no look afterwards), so it is the floor, not a rival. Needs curl and GNU time.
set -eu
cd "$(dirname "$0")/../.."
export HAUL="$PWD/target/release/haul" SIZE="${1:-1024}" FILES="${2:-500}" ROUNDS="${3:-5}"
WORK=$(mktemp -d -p "${BENCH_DIR:-/dev/shm}" haul-bench-XXXXXX)
export WORK TMPDIR="$WORK"
trap 'rm -rf "$WORK"' EXIT
head -c "${SIZE}M" /dev/urandom > "$WORK/big"
mkdir "$WORK/small"
i=0
while [ $i -lt "$FILES" ]; do head -c 4096 /dev/urandom > "$WORK/small/$i.bin"; i=$((i + 1)); done
"$HAUL" --progress none -q sandbox -- sh tests/bench/rounds.sh
