#!/bin/sh
# haul beside the programs that people would take otherwise, in turn, on servers that others wrote:
#
#     benches/peers/run.sh --toy      seconds: does the script still work?
#     benches/peers/run.sh --quick    minutes: the table, written to docs/performance.md and docs/performance.svg
#     benches/peers/run.sh            the same with more rounds
#
# Takes target/release/haul, or what HAUL names. Peers and servers that are missing are named, and their rows left out. As root, with `ip`
# and a C compiler, client and servers are in network namespaces of their own: then there are rows with 50 ms there and back.
set -eu
cd "$(dirname "$0")/../.."
HAUL=${HAUL:-target/release/haul}
[ -x "$HAUL" ] || { echo "$HAUL is missing: cargo build --release" >&2; exit 2; }
venv=target/peers/venv
if [ "${1:-}" != --toy ] && ! "$venv/bin/python" -c "import matplotlib" 2>/dev/null; then
    mkdir -p target/peers
    { python3 -m venv "$venv" && "$venv/bin/pip" install -q matplotlib==3.10.8; } || echo "no plot: matplotlib could not be installed" >&2
fi
python=$venv/bin/python
[ -x "$python" ] || python=python3
exec "$python" benches/peers/peers.py --haul "$HAUL" "$@"
