#!/bin/bash
# Several Ray nodes on this machine, to try what a cluster does:  cluster/local-nodes.sh 3
# Then:  learnact run quickstart --address auto
#        learnact submit quickstart --address http://127.0.0.1:8265 --results /tmp/results
# Ctrl-C ends the nodes.
set -euo pipefail
nodes=${1:-3}
export RAY_USAGE_STATS_ENABLED=0
started=()
trap 'kill "${started[@]}" 2>/dev/null; wait' EXIT
trap 'exit 0' INT TERM
ray start --head --port=6379 --num-cpus=0 --dashboard-host=127.0.0.1 --block &
started+=($!)
until ray status --address=127.0.0.1:6379 >/dev/null 2>&1; do sleep 1; done
for ((node = 1; node <= nodes; node++)); do
  ray start --address=127.0.0.1:6379 --num-cpus=1 --block &
  started+=($!)
done
wait
