#!/bin/sh
# A Slurm job array: eight tasks, each puts its share of a folder.
#   sbatch slurm.sh /data/rushes studio:/rushes/
#SBATCH --job-name=haul
#SBATCH --array=0-7
#SBATCH --cpus-per-task=1
#SBATCH --requeue
# A task that is requeued takes the same share, and passes over what is there.
set -eu
exec haul put "$1" "$2" --shard auto --receipt "receipt-$SLURM_ARRAY_TASK_ID.jsonl"
