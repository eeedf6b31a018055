//! A metric: its instrument, and what is read for it.

use opentelemetry::KeyValue;

use super::snapshot::Snapshot;

/// The kind of instrument that observes a row.
pub(super) enum InstrumentKind {
    Counter,
    UpDownCounter,
    /// A value of which a sum over pipelines says nothing.
    Gauge,
}

/// The part of a pipeline that a row is about.
#[derive(Clone, Copy)]
pub(super) enum Component {
    Processor,
    Exporters,
}

/// Takes a value with the attribute that it has in its row.
pub(super) type Report<'t> = &'t mut dyn FnMut(u64, Option<KeyValue>);

pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) kind: InstrumentKind,
    pub(super) unit: &'static str,
    pub(super) description: &'static str,
    pub(super) component: Option<Component>,
    pub(super) read: fn(&Snapshot, Report<'_>),
}

pub(super) const fn counter(
    name: &'static str,
    description: &'static str,
    read: fn(&Snapshot, Report<'_>),
) -> Row {
    Row { name, kind: InstrumentKind::Counter, unit: "{span}", description, component: None, read }
}

pub(super) const fn up_down_counter(
    name: &'static str,
    description: &'static str,
    read: fn(&Snapshot, Report<'_>),
) -> Row {
    Row { kind: InstrumentKind::UpDownCounter, ..counter(name, description, read) }
}

pub(super) const fn gauge(
    name: &'static str,
    description: &'static str,
    read: fn(&Snapshot, Report<'_>),
) -> Row {
    Row { kind: InstrumentKind::Gauge, ..counter(name, description, read) }
}

impl Row {
    pub(super) const fn of(self, component: Component) -> Self {
        Self { component: Some(component), ..self }
    }

    pub(super) const fn in_unit(self, unit: &'static str) -> Self {
        Self { unit, ..self }
    }
}
