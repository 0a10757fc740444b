"""The recipes in cluster/ are well-formed, and name the image's commands and settings that exist."""

from __future__ import annotations

import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

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


def test_the_kuberay_recipe_uses_fields_that_the_resource_has() -> None:
    cluster, claim = yaml.safe_load_all((CLUSTER / "kuberay.yaml").read_text())
    jsonschema.validate(cluster, RAY_CLUSTER)
    mounted = cluster["spec"]["headGroupSpec"]["template"]["spec"]["volumes"][0]
    assert mounted["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    broken = copy.deepcopy(cluster)
    broken["spec"]["workerGroupSpecs"][0]["replica"] = 1
    with pytest.raises(jsonschema.ValidationError, match="replica"):
        jsonschema.validate(broken, RAY_CLUSTER)


def test_rays_own_validator_takes_the_ssh_recipe() -> None:
    source = (
        "import sys, yaml\n"
        "from ray.autoscaler._private.util import prepare_config, validate_config\n"
        "validate_config(prepare_config(yaml.safe_load(open(sys.argv[1]))))\n"
    )
    recipe = str(CLUSTER / "ray-up.yaml")
    done = subprocess.run(
        [sys.executable, "-c", source, recipe], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
