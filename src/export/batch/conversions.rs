//! What a batch is made of, and how it is read one by one.

use std::{slice, vec};

use super::Batch;
use crate::trace::Trace;

impl IntoIterator for Batch {
    type Item = Trace;
    type IntoIter = vec::IntoIter<Trace>;

    fn into_iter(self) -> Self::IntoIter {
        self.into_traces().into_iter()
    }
}

impl<'a> IntoIterator for &'a Batch {
    type Item = &'a Trace;
    type IntoIter = slice::Iter<'a, Trace>;

    fn into_iter(self) -> Self::IntoIter {
        self.traces.iter()
    }
}

impl From<Vec<Trace>> for Batch {
    fn from(traces: Vec<Trace>) -> Self {
        Self { traces, done: 0, taken: None, operation: None, loan: None }
    }
}

impl<const N: usize> From<[Trace; N]> for Batch {
    fn from(traces: [Trace; N]) -> Self {
        Self::from(Vec::from(traces))
    }
}

impl From<&[Trace]> for Batch {
    fn from(traces: &[Trace]) -> Self {
        Self::from(traces.to_vec())
    }
}

impl From<Trace> for Batch {
    fn from(trace: Trace) -> Self {
        Self::from(vec![trace])
    }
}

impl FromIterator<Trace> for Batch {
    fn from_iter<I: IntoIterator<Item = Trace>>(traces: I) -> Self {
        Self::from(Vec::from_iter(traces))
    }
}
