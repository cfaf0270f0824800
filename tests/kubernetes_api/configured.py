"""An application with everything that configures it, as its operators have applied it."""

import base64

from tests.kubernetes_api.objects import budget, deployment, scaler
from tests.kubernetes_api.patches import Json
from tests.kubernetes_api.place import Place

PASSWORD = "hunter2-of-the-database"
PULL = "pull-password-of-the-registry"
IMAGE = "atom:1"


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def made(kind: str, name: str, api_version: str = "v1", **members: object) -> Json:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **members}


def configure(place: Place, *, is_scaled: bool = True) -> None:
    """All the kinds; and neighbours that are none of it."""
    admin = place.admin
    data = {"LOG_LEVEL": "info", "application.yaml": "workers: 4\nfeatures:\n  - episodes\n", "NUMBER": "1e3"}
    config = made("ConfigMap", "atom.config", data=data, binaryData={"logo": in_base64("\x00\x01")})
    config["metadata"]["annotations"] = {"kubectl.kubernetes.io/last-applied-configuration": "{}", "owner": "sre"}
    admin.create("", "configmaps", config)
    admin.create("", "configmaps", made("ConfigMap", "kube-root-ca.crt", data={"ca.crt": "..."}))
    admin.create("", "configmaps", made("ConfigMap", "of-somebody-else", data={"x": "y"}))
    admin.create("", "secrets", made("Secret", "atom-secrets", data={"DB_PASSWORD": in_base64(PASSWORD)}))
    pull = {".dockerconfigjson": in_base64(PULL)}
    admin.create("", "secrets", made("Secret", "registry", data=pull, type="kubernetes.io/dockerconfigjson"))
    admin.create(
        "", "secrets", made("Secret", "atom-tls", data={"tls.key": in_base64("key")}, type="kubernetes.io/tls")
    )
    helm = made("Secret", "sh.helm.release.v1.atom.v1", data={"release": "eA=="}, type="helm.sh/release.v1")
    admin.create("", "secrets", helm)
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    admin.create("", "persistentvolumeclaims", made("PersistentVolumeClaim", "atom-data", spec=claim))
    _account(place)
    service = {"selector": {"app": "atom"}, "ports": [{"port": 80, "targetPort": 8000}], "type": "NodePort"}
    admin.create("", "services", made("Service", "atom", spec=service))
    admin.create("", "services", made("Service", "other", spec={"selector": {"app": "other"}, "ports": [{"port": 1}]}))
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "atom", "port": {"number": 80}}}}
    rules = [{"host": "atom.example.com", "http": {"paths": [path]}}]
    ingress = {"tls": [{"hosts": ["atom.example.com"], "secretName": "atom-tls"}], "rules": rules}
    admin.create("networking.k8s.io", "ingresses", made("Ingress", "atom", "networking.k8s.io/v1", spec=ingress))
    if is_scaled:
        admin.create("autoscaling", "horizontalpodautoscalers", scaler())
    admin.create("policy", "poddisruptionbudgets", budget())
    job = {"containers": [{"name": "cleanup", "image": IMAGE}], "restartPolicy": "Never"}
    cron = {"schedule": "0 4 * * *", "jobTemplate": {"spec": {"template": {"spec": job}}}}
    admin.create("batch", "cronjobs", made("CronJob", "cleanup", "batch/v1", spec=cron))
    place.deploy(_deployment(), ready=0)


def _account(place: Place) -> None:
    group = "rbac.authorization.k8s.io"
    account = made("ServiceAccount", "atom", imagePullSecrets=[{"name": "registry"}], secrets=[{"name": "atom-token"}])
    place.admin.create("", "serviceaccounts", account)
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
    place.admin.create(group, "roles", made("Role", "atom", f"{group}/v1", rules=[rule]))
    members = {
        "subjects": [{"kind": "ServiceAccount", "name": "atom", "namespace": place.namespace}],
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "atom"},
    }
    place.admin.create(group, "rolebindings", made("RoleBinding", "atom", f"{group}/v1", **members))


def _deployment() -> Json:
    whole = deployment(replicas=2)
    pod = whole["spec"]["template"]["spec"]
    pod["serviceAccountName"] = "atom"
    container = pod["containers"][0]
    container["envFrom"] = [{"configMapRef": {"name": "atom.config"}}]
    reference = {"secretKeyRef": {"name": "atom-secrets", "key": "DB_PASSWORD"}}
    container["env"] = [{"name": "DB_PASSWORD", "valueFrom": reference}]
    optional = {"configMapRef": {"name": "only-in-testing", "optional": True}}
    container["envFrom"].append(optional)
    container["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    pod["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "atom-data"}}]
    return whole
