#!/bin/sh
# Runs what stands in this folder: slurm.sh on a Slurm of one node, parallel.sh on this machine, both against `haul sandbox`; and compares the
# Kubernetes and GitLab files with their schemas. For Debian; as root it installs what is missing.
#   examples/shards/check.sh [HAUL]      (HAUL: the program, target/debug/haul unless given)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
haul=$(realpath "${1:-$here/../../target/debug/haul}")
files=${FILES:-4000}
work=$(mktemp -d)
pids=""

finish() {
    for pid in $pids; do kill "$pid" 2>/dev/null || true; done
    wait
    rm -rf "$work"
}
trap finish EXIT

need() {
    command -v "$1" >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends $2; } >/dev/null
}

say() { printf '%s\n' "== $*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }

# ---- the schemas, by packages of PyPI
say "kubernetes.yaml and gitlab-ci.yml against their schemas"
need python3 "python3 python3-venv"
python3 -m venv "$work/venv" && "$work/venv/bin/pip" -q install kubernetes==31.0.0 PyYAML==6.0.2 check-jsonschema==0.29.4
"$work/venv/bin/check-jsonschema" --builtin-schema vendor.gitlab-ci "$here/gitlab-ci.yml"
"$work/venv/bin/check-jsonschema" --builtin-schema vendor.github-workflows "$here/github.yml"
"$work/venv/bin/python" - "$here/kubernetes.yaml" <<'PYTHON'
# The client's own models refuse a missing field and a value of another type; a field that they don't know is found by the way back.
import sys, json, yaml
from kubernetes import client

text = yaml.safe_load(open(sys.argv[1]))
class Answer:
    data = json.dumps(text)
api = client.ApiClient()
job = api.deserialize(Answer, "V1Job")
back = api.sanitize_for_serialization(job)
assert back == text, "fields that V1Job does not know:\n%s\n%s" % (back, text)
assert job.spec.completion_mode == "Indexed" and job.spec.completions == job.spec.parallelism == 8
print("ok -- a V1Job")
PYTHON
python3 -m json.tool "$here/aws-batch.json" >/dev/null

# ---- the sandbox, and files
say "a sandbox and $files files"
mkdir -p "$work/source" "$work/bin" && ln -s "$haul" "$work/bin/haul"
n=0
while [ $n -lt "$files" ]; do
    d="$work/source/$((n % 40))"
    mkdir -p "$d" && echo "content of $n" > "$d/file $n.txt"
    n=$((n + 1))
done
# The command that the sandbox runs keeps it alive and hands its environment out.
mkfifo "$work/end"
"$haul" -q sandbox -- sh -c "env | grep -E '^(HAUL_|XDG_)' > '$work/env.part' && mv '$work/env.part' '$work/env' && cat '$work/end'" >/dev/null 2>"$work/sandbox.log" &
pids="$pids $!"
i=0; while [ ! -e "$work/env" ] && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done
[ -e "$work/env" ] || fail "the sandbox did not start: $(cat "$work/sandbox.log")"
while IFS= read -r line; do export "${line%%=*}=${line#*=}"; done < "$work/env"
export PATH="$work/bin:$PATH"

# All there, none twice: by the receipts, by what the provider says of them, and by a listing.
whole() {
    lines=$(cat "$work"/receipts/receipt-*.jsonl | wc -l)
    [ "$lines" -eq "$files" ] || fail "$1: $lines lines in the receipts for $files files"
    sources=$(cat "$work"/receipts/receipt-*.jsonl | python3 -c 'import json,sys; print(len({json.loads(l)["path"] for l in sys.stdin}))')
    [ "$sources" -eq "$files" ] || fail "$1: $sources different paths for $files files"
    cat "$work"/receipts/receipt-*.jsonl > "$work/all.jsonl"
    haul -q verify "$work/all.jsonl" || fail "$1: verify ended with $?"
    there=$(haul find --json --kind file "$2" | wc -l)
    [ "$there" -eq "$files" ] || fail "$1: $there files are there"
    say "$1: $files files, all there, none twice"
}

# ---- GNU parallel
need parallel parallel
mkdir -p "$work/receipts"
: > "$work/hosts"
for i in 1 2 3 4; do echo : >> "$work/hosts"; done
(cd "$work/receipts" && "$here/parallel.sh" "$work/hosts" "$work/source/" giga0:/parallel/ >/dev/null)
whole "GNU parallel" giga0:/parallel

# ---- Slurm
need slurmctld slurm-wlm
need munged munge
rm -rf "$work/receipts" && mkdir -p "$work/receipts" "$work/munge" "$work/slurm/state" "$work/slurm/spool"
say "Slurm $(slurmctld -V | cut -d' ' -f2) on this machine"
dd if=/dev/urandom of="$work/munge/key" bs=1024 count=1 2>/dev/null
chmod 400 "$work/munge/key" && chmod 755 "$work" "$work/munge"
munged --force --foreground --key-file="$work/munge/key" --socket="$work/munge/socket" --pid-file="$work/munge/pid" \
    --seed-file="$work/munge/seed" --log-file="$work/munge/log" 2>/dev/null &
pids="$pids $!"
host=$(hostname -s)
cat > "$work/slurm/slurm.conf" <<CONF
ClusterName=check
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge/socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerParameters=sched_interval=1,bf_interval=1
StateSaveLocation=$work/slurm/state
SlurmdSpoolDir=$work/slurm/spool
SlurmctldPidFile=$work/slurm/ctld.pid
SlurmdPidFile=$work/slurm/d.pid
SlurmctldLogFile=$work/slurm/ctld.log
SlurmdLogFile=$work/slurm/d.log
SlurmctldPort=${SLURM_PORT:-16817}
SlurmdPort=$((${SLURM_PORT:-16817} + 1))
ReturnToService=2
KillWait=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=8 RealMemory=512 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:8
SlurmdParameters=config_overrides
CONF
export SLURM_CONF="$work/slurm/slurm.conf"
sleep 1
slurmctld -D >/dev/null 2>&1 &
pids="$pids $!"
slurmd -D -N "$host" >/dev/null 2>&1 &
pids="$pids $!"
i=0; until sinfo -h -t idle -o %n 2>/dev/null | grep -q .; do
    i=$((i + 1)); [ $i -lt 60 ] || fail "Slurm's node does not come up: $(tail -3 "$work/slurm/ctld.log" "$work/slurm/d.log")"
    sleep 1
done
cd "$work/receipts"
job=$(sbatch --parsable --output="$work/slurm/%a.out" "$here/slurm.sh" "$work/source/" giga0:/slurm/)
# One task is stopped in the middle and runs again.
i=0; until [ -s "$work/receipts/receipt-3.jsonl" ]; do
    i=$((i + 1)); [ $i -lt 600 ] || fail "task 3 does not begin: $(cat "$work/slurm/3.out" 2>/dev/null)"
    sleep 0.1
done
scontrol requeue "${job}_3" && say "task 3 is killed and requeued after $(wc -l < receipt-3.jsonl) files"
i=0; while squeue -h -j "$job" 2>/dev/null | grep -q .; do
    i=$((i + 1)); [ $i -lt 600 ] || fail "the array does not end: $(squeue)"
    sleep 1
done
cd "$here"
whole "Slurm" giga0:/slurm
say "done"
