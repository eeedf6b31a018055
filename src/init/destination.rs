//! Where kept traces go.

use crate::config::Settings;
use crate::export::ConsoleExporter;
use crate::pipeline::PipelineBuilder;

/// Where kept traces go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    /// Where the program or the environment says.
    Named,
    /// Waterfalls on the terminal.
    Terminal,
    Nowhere,
}

/// Why nothing is exported.
const NOWHERE: &str = "traces are recorded nowhere: no usable variable says where to send them and standard output is no \
                       terminal; set OTEL_EXPORTER_OTLP_ENDPOINT (feature `otlp`), or OTEL_TRACES_EXPORTER=console";

impl Destination {
    pub(super) fn choose(settings: &Settings, is_terminal: bool) -> Self {
        match (settings.names_destination(), is_terminal) {
            (true, _) => Self::Named,
            (false, true) => Self::Terminal,
            (false, false) => Self::Nowhere,
        }
    }

    /// Adds the exporter, if the destination is not the builder's own.
    pub(super) fn apply(self, builder: PipelineBuilder) -> PipelineBuilder {
        match self {
            Self::Named => builder,
            Self::Terminal => builder.with_exporter(ConsoleExporter::stdout()),
            Self::Nowhere => builder.with_default_exporters(Vec::new(), Some(NOWHERE)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::from_vars;

    #[test]
    fn what_a_variable_names_goes_before_the_terminal() {
        let choose = |variable: &str, value: &str, is_terminal| {
            let settings = from_vars(&|name| (name == variable).then(|| value.to_owned()));
            Destination::choose(&settings, is_terminal)
        };
        for (variable, value) in [
            ("OTEL_TRACES_EXPORTER", "none"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://collector:4318/v1/traces"),
        ] {
            assert_eq!(choose(variable, value, true), Destination::Named, "{variable}");
        }
        assert_eq!(choose("OTEL_SERVICE_NAME", "shop", true), Destination::Terminal);
        assert_eq!(choose("OTEL_SERVICE_NAME", "shop", false), Destination::Nowhere);
    }
}
