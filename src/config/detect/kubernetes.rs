//! The pod that the process runs in.

/// Set by Kubernetes in every container.
const IN_A_CLUSTER: &str = "KUBERNETES_SERVICE_HOST";

/// What a pod knows of itself. The variables beside `HOSTNAME` are there where the pod's manifest passes the fields on
/// (the downward API), under the names that its documentation uses.
pub(super) fn tags(
    variable: &dyn Fn(&str) -> Option<String>,
    namespace_file: Option<String>,
) -> Vec<(&'static str, String)> {
    if variable(IN_A_CLUSTER).is_none() {
        return Vec::new();
    }
    let of_file = || Some(namespace_file?.trim().to_owned()).filter(|name| !name.is_empty());
    let found = [
        ("k8s.pod.name", variable("POD_NAME").or_else(|| variable("HOSTNAME"))),
        ("k8s.namespace.name", variable("POD_NAMESPACE").or_else(of_file)),
        ("k8s.node.name", variable("NODE_NAME")),
        ("k8s.pod.uid", variable("POD_UID")),
    ];
    found.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(vars: &[(&str, &str)], file: Option<&str>) -> Vec<(&'static str, String)> {
        let lookup = |name: &str| {
            let known = vars.iter().find(|(known, _)| *known == name);
            known.map(|(_, value)| (*value).to_owned())
        };
        tags(&lookup, file.map(str::to_owned))
    }

    #[test]
    fn a_host_name_outside_of_a_cluster_is_no_pod() {
        assert_eq!(found(&[("HOSTNAME", "laptop")], Some("shops")), []);
    }

    #[test]
    fn a_pod_tells_what_its_manifest_passes_on_and_else_what_every_pod_has() {
        let cluster = (IN_A_CLUSTER, "10.0.0.1");
        let bare = found(&[cluster, ("HOSTNAME", "shop-1")], Some("shops\n"));
        let name = |key, value: &str| (key, value.to_owned());
        assert_eq!(bare, [name("k8s.pod.name", "shop-1"), name("k8s.namespace.name", "shops")]);
        let vars = [
            cluster,
            ("HOSTNAME", "node-of-host-network"),
            ("POD_NAME", "shop-1"),
            ("POD_NAMESPACE", "shops"),
            ("NODE_NAME", "node-7"),
            ("POD_UID", "0a1b"),
        ];
        let expected = [
            name("k8s.pod.name", "shop-1"),
            name("k8s.namespace.name", "shops"),
            name("k8s.node.name", "node-7"),
            name("k8s.pod.uid", "0a1b"),
        ];
        assert_eq!(found(&vars, None), expected);
    }
}
