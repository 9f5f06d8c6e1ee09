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
# Each round keeps what arrived until its end: about seven times SIZE_MIB. Not in memory, unless BENCH_DIR says so.
WORK=$(mktemp -d -p "${BENCH_DIR:-${TMPDIR:-/tmp}}" haul-bench-XXXXXX)
export WORK TMPDIR="$WORK"
trap 'rm -rf "$WORK"' EXIT
head -c "${SIZE}M" /dev/urandom > "$WORK/big"
mkdir "$WORK/small"
i=0
while [ $i -lt "$FILES" ]; do head -c 4096 /dev/urandom > "$WORK/small/$i.bin"; i=$((i + 1)); done
round=0
while [ $round -lt "$ROUNDS" ]; do
    "$HAUL" --progress none -q sandbox -- sh tests/bench/round.sh
    round=$((round + 1))
done

echo "one file of $SIZE MiB, $FILES files of 4 KiB, $ROUNDS rounds, medians"
printf '%-22s %9s %9s %12s\n' contender "wall s" "cpu s" "peak MiB"
for name in $(cut -d' ' -f1 "$WORK/log" | sort -u); do
    median() { grep "^$name " "$WORK/log" | awk "{ print $1 }" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
    printf '%-22s %9.2f %9.2f %12.1f\n' "$name" "$(median '$2')" "$(median '$3 + $4')" "$(median '$5 / 1024')"
done
