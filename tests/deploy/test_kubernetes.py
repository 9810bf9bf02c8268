"""The manifests: valid by the official schema, consistent with each other, and true to the program."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateway.app import STOP_SECONDS
from gateway.cli import COMMANDS
from gateway.roles import ROLES
from tests.deploy.reading import DEPLOY, FOREIGN, command_of, documents, is_served, known_variables, unserved, walk

FOLDER = DEPLOY / "kubernetes"
SCHEMA = json.loads((DEPLOY.parent / "tests/schemas/kubernetes-1.37.trimmed.json").read_text("utf-8"))
(KUSTOMIZATION,) = documents(FOLDER / "kustomization.yaml")
FILES = sorted(path for path in FOLDER.glob("*.yaml") if path.name != "kustomization.yaml")
MANIFESTS = [(path.name, document) for path in FILES for document in documents(path)]


def of(kind: str) -> list[dict[str, Any]]:
    return [document for _, document in MANIFESTS if document["kind"] == kind]


def containers() -> list[dict[str, Any]]:
    pods = [it["spec"]["template"]["spec"] for it in (*of("Deployment"), *of("Job"))]
    return [container for pod in pods for container in pod["containers"]]


@pytest.mark.parametrize(("name", "manifest"), MANIFESTS, ids=[f"{n}-{m['kind']}" for n, m in MANIFESTS])
def test_fits_the_official_schema(name: str, manifest: dict[str, Any]) -> None:
    """Strictly: a key that Kubernetes does not know is a mistake."""
    schema = SCHEMA["kinds"][f"{manifest['apiVersion']} {manifest['kind']}"] | {"definitions": SCHEMA["definitions"]}
    errors = [
        f"{error.json_path}: {error.message[:200]}" for error in Draft202012Validator(schema).iter_errors(manifest)
    ]
    assert errors == []


def test_the_schema_finds_mistakes() -> None:
    manifest = json.loads(json.dumps(of("Deployment")[0]))
    manifest["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
    schema = SCHEMA["kinds"]["apps/v1 Deployment"] | {"definitions": SCHEMA["definitions"]}
    assert not Draft202012Validator(schema).is_valid(manifest)


def test_the_kustomization_has_every_file() -> None:
    assert sorted(KUSTOMIZATION["resources"]) == sorted(p.name for p in FILES if not p.name.endswith(".example.yaml"))


def test_images_are_ours() -> None:
    assert {it["image"] for it in containers()} == {it["name"] for it in KUSTOMIZATION["images"]} == {"frontline"}
    assert all(it["newTag"] != "latest" for it in KUSTOMIZATION["images"])


def test_commands_and_roles_exist() -> None:
    asked = [command_of(it["args"]) for it in containers()]
    assert {command for command, _ in asked} <= {name for name, _ in COMMANDS}
    assert sorted(role for _, roles in asked for role in roles) == sorted(ROLES)


def test_variables_exist() -> None:
    named = [name for it in (*of("ConfigMap"), *of("Secret")) for name in it.get("data", it.get("stringData", {}))]
    assert [name for name in named if name not in known_variables() | FOREIGN] == []


def test_what_is_referred_to_exists() -> None:
    names = {
        (kind, it["metadata"]["name"]) for kind in ("ConfigMap", "Secret", "PersistentVolumeClaim") for it in of(kind)
    }
    for container in containers():
        for source in container["envFrom"]:
            ((kind, to),) = source.items()
            assert (kind.removesuffix("Ref").capitalize().replace("Configmap", "ConfigMap"), to["name"]) in names
    claims = {it["claimName"] for _, document in MANIFESTS for it in walk(document) if "claimName" in it}
    assert {("PersistentVolumeClaim", claim) for claim in claims} <= names
    assert {it["spec"]["scaleTargetRef"]["name"] for it in of("HorizontalPodAutoscaler")} <= {
        it["metadata"]["name"] for it in of("Deployment")
    }


@pytest.mark.parametrize("kind", ["Deployment", "PodDisruptionBudget", "Service"])
def test_selectors_find_pods(kind: str) -> None:
    labels = [it["spec"]["template"]["metadata"]["labels"] for it in of("Deployment")]
    assert of(kind)
    for it in of(kind):
        selector = it["spec"]["selector"]
        assert selector.get("matchLabels", selector) in labels


def test_every_deployment_can_lose_a_pod() -> None:
    budgets = {it["metadata"]["name"] for it in of("PodDisruptionBudget")}
    scaled = {it["spec"]["scaleTargetRef"]["name"]: it["spec"]["minReplicas"] for it in of("HorizontalPodAutoscaler")}
    for it in of("Deployment"):
        name = it["metadata"]["name"]
        assert name in budgets
        assert it["spec"].get("replicas", scaled.get(name, 1)) >= 2
        assert ("replicas" in it["spec"]) != (name in scaled)  # two masters of one number would fight


def test_probes_ask_what_is_served() -> None:
    paths = {it["httpGet"]["path"] for _, document in MANIFESTS for it in walk(document) if "httpGet" in it}
    assert paths == {"/healthz", "/readyz"}
    assert all(is_served(path) for path in paths)
    for it in of("Deployment"):
        (container,) = it["spec"]["template"]["spec"]["containers"]
        # Readiness writes to the store: a database that is away must take pods out of balance, never restart them.
        assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
        assert it["spec"]["template"]["metadata"]["annotations"]["prometheus.io/path"] == "/metrics"


def test_ports_are_those_of_the_image() -> None:
    image = (DEPLOY / "Containerfile").read_text("utf-8")
    ports = {port["containerPort"] for it in containers() for port in it.get("ports", [])}
    assert ports == {8080}
    assert "EXPOSE 8080" in image
    assert "HTTP_PORT=8080" in image


def test_a_stop_has_time() -> None:
    for it in of("Deployment"):
        pod = it["spec"]["template"]["spec"]
        hook = pod["containers"][0].get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["", "0"])
        assert pod["terminationGracePeriodSeconds"] > float(hook[1]) + STOP_SECONDS + 2


def test_pods_are_confined() -> None:
    for it in (*of("Deployment"), *of("Job")):
        pod = it["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            inside = container["securityContext"]
            assert inside["readOnlyRootFilesystem"]
            assert inside["allowPrivilegeEscalation"] is False
            assert inside["capabilities"] == {"drop": ["ALL"]}
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
            assert "memory" in container["resources"]["limits"]


def test_roles_that_touch_files_share_them() -> None:
    """Uploads come in by intake; the sender fetches files of messengers and sends them."""
    for it in of("Deployment"):
        _, roles = command_of(it["spec"]["template"]["spec"]["containers"][0]["args"])
        (files,) = [one for one in it["spec"]["template"]["spec"]["volumes"] if one["name"] == "files"]
        assert ("persistentVolumeClaim" in files) == bool({"intake", "sender"} & set(roles))


def test_the_ingress_opens_no_more_than_is_meant() -> None:
    (rule,) = [rule for it in of("Ingress") for rule in it["spec"]["rules"]]
    paths = [it["path"] for it in rule["http"]["paths"]]
    assert paths == ["/hooks/", "/files/", "/chat/", "/console", "/api/", "/widget.js", "/events/", "/desks/"]
    assert all(is_served(path) for path in paths)
    assert unserved(paths) == set()
    (service,) = of("Service")
    assert {it["backend"]["service"]["name"] for it in rule["http"]["paths"]} == {service["metadata"]["name"]}


def test_the_network_lets_through_what_is_needed() -> None:
    (policy,) = of("NetworkPolicy")
    out = {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}
    assert out == {53, 443, 5432, 6432, 6379}
    assert {port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]} == {8080}


def test_files_end_with_a_line() -> None:
    assert [path.name for path in FILES if not Path(path).read_text("utf-8").endswith("\n")] == []
