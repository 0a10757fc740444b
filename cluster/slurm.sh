#!/bin/bash
# A run on several machines of a Slurm cluster:  sbatch --nodes=4 cluster/slurm.sh my.yaml /shared/results
# The same command again continues the run. learnact must be installed for the `python` of all nodes.
#SBATCH --job-name=learnact
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --time=24:00:00
#SBATCH --signal=B:TERM@120
set -euo pipefail
job=$1
results=$2
cpus=${SLURM_CPUS_PER_TASK:-16}
port=$((20000 + SLURM_JOB_ID % 20000))
export RAY_TMPDIR=/tmp/ray-$SLURM_JOB_ID RAY_USAGE_STATS_ENABLED=0
head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
address=$(srun --nodes=1 --ntasks=1 --nodelist="$head" hostname --ip-address | cut -d ' ' -f 1):$port

# One step keeps a Ray node alive on each machine; Slurm ends them with the job.
srun --nodes=1 --ntasks=1 --nodelist="$head" \
  ray start --head --node-ip-address="${address%:*}" --port="$port" --num-cpus="$cpus" --block &
sleep 20
if ((SLURM_JOB_NUM_NODES > 1)); then
  srun --nodes=$((SLURM_JOB_NUM_NODES - 1)) --ntasks-per-node=1 --exclude="$head" \
    ray start --address="$address" --num-cpus="$cpus" --block &
fi

# Slurm sends TERM two minutes before the time is over: the run commits what is in flight.
learnact run "$job" --address "$address" --results "$results" &
run=$!
trap 'kill -TERM $run' TERM
wait $run || wait $run
