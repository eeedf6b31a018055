//! What the machine, the process and the cluster say of themselves.

mod identity;
mod kubernetes;

use std::env;
use std::env::consts;
use std::fs;
use std::path::Path;
use std::process;

use crate::model::{Resource, TagValue};

/// Where a pod finds the namespace it runs in.
const NAMESPACE_FILE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

impl Resource {
    /// What the environment tells of this process, for
    /// [`PipelineBuilder::with_resource`](crate::pipeline::PipelineBuilder::with_resource).
    ///
    /// | key | from |
    /// |---|---|
    /// | `service.instance.id` | random, the same for the life of the process |
    /// | `host.name`, `host.arch`, `os.type` | the system |
    /// | `process.pid`, `process.executable.name` | the process; its arguments stay out, because they may hold secrets |
    /// | `container.id` | `/proc/self/cgroup`, else `/proc/self/mountinfo` |
    /// | `k8s.pod.name` | where `KUBERNETES_SERVICE_HOST` is set: `POD_NAME`, else `HOSTNAME` |
    /// | `k8s.namespace.name` | there: `POD_NAMESPACE`, else the file of the service account |
    /// | `k8s.node.name`, `k8s.pod.uid` | there: `NODE_NAME`, `POD_UID` |
    ///
    /// A process that is forked off while a pipeline runs has a number and an instance of its own there.
    ///
    /// What is unknown is left out; nothing is asked over a network. It reads a few small files, so call it once, before
    /// the pipeline starts. The service's name is `unknown_service:` and the name of the program.
    ///
    /// ```
    /// use tailtrace::model::Resource;
    /// use tailtrace::{ConsoleExporter, Pipeline};
    /// let pipeline = Pipeline::builder("shop")
    ///     .with_resource(Resource::detect())
    ///     .with_exporter(ConsoleExporter::stdout())
    ///     .start()?;
    /// # drop(pipeline);
    /// assert!(Resource::detect().get("process.pid").is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn detect() -> Self {
        let program = program();
        let name = program.as_deref().unwrap_or("");
        let service =
            if name.is_empty() { String::new() } else { format!("unknown_service:{name}") };
        let tags = [
            ("service.instance.id", identity::service_instance()),
            ("host.name", host_name()),
            ("host.arch", Some(architecture(consts::ARCH).into())),
            ("os.type", Some(system(consts::OS).into())),
            ("process.pid", Some(i64::from(process::id()).into())),
            ("process.executable.name", program.clone().map(TagValue::from)),
            ("container.id", identity::container()),
        ];
        let namespace = fs::read_to_string(NAMESPACE_FILE).ok();
        let pod = kubernetes::tags(&variable, namespace);
        let known = tags.into_iter().filter_map(|(key, value)| Some((key, value?)));
        let pod = pod.into_iter().map(|(key, value)| (key, TagValue::from(value)));
        known.chain(pod).fold(Self::new(service), |made, (key, value)| made.with_tag(key, value))
    }

    /// This resource in a process that was forked off: what was detected of the process is told of the child.
    pub(crate) fn in_child(self) -> Self {
        if self.get("process.pid").is_none() {
            return self;
        }
        let made = self.with_tag("process.pid", i64::from(process::id()));
        let instance = made.get("service.instance.id");
        if instance.is_none() || instance != identity::service_instance().as_ref() {
            return made;
        }
        made.with_tag("service.instance.id", identity::another_instance())
    }
}

#[expect(clippy::disallowed_methods, reason = "the room that reads the environment")]
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}

#[expect(clippy::disallowed_methods, reason = "the room that reads the environment")]
fn program() -> Option<String> {
    let path = env::current_exe().ok()?;
    path.file_name().map(Path::new).map(|name| name.to_string_lossy().into_owned())
}

fn host_name() -> Option<TagValue> {
    let name = hostname::get().ok()?.to_string_lossy().into_owned();
    Some(name).filter(|name| !name.is_empty()).map(TagValue::from)
}

/// The architecture by OpenTelemetry's name for it.
fn architecture(rust: &str) -> &str {
    match rust {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "arm" => "arm32",
        "powerpc" => "ppc32",
        "powerpc64" => "ppc64",
        other => other,
    }
}

/// The operating system by OpenTelemetry's name for it.
fn system(rust: &str) -> &str {
    match rust {
        "macos" => "darwin",
        "dragonfly" => "dragonflybsd",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_detected_is_one_process_on_one_host() {
        let once = Resource::detect();
        let again = Resource::detect();
        assert_eq!(once, again, "the instance is the same for the life of the process");
        let id = once.get("service.instance.id").and_then(TagValue::as_str);
        assert_eq!(id.map(str::len), Some(36));
        assert_eq!(once.get("process.pid"), Some(&i64::from(process::id()).into()));
        assert!(once.get("host.name").is_some() && once.get("process.executable.name").is_some());
        assert!(once.service_name().starts_with("unknown_service:"), "{once:?}");
        assert_eq!(once.get("process.command_args"), None);
    }

    #[test]
    fn systems_and_architectures_have_the_names_of_the_conventions() {
        assert_eq!([architecture("x86_64"), architecture("riscv64")], ["amd64", "riscv64"]);
        assert_eq!([system("macos"), system("linux")], ["darwin", "linux"]);
    }
}
