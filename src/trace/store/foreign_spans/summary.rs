//! What is known of all originals of a store together.

use std::sync::Arc;

use crate::model::Resource;

/// What is known of all originals of a store together, so that most traces are decided without reading one.
#[derive(Clone, Debug, Default)]
pub(crate) struct ForeignSummary {
    /// The service that made them, where that is not the pipeline's own.
    resource: Option<Arc<Resource>>,
    /// Where the root stands in the column.
    root: u32,
    len: u32,
    has_errors: bool,
}

impl ForeignSummary {
    /// Adds the original that the caller pushes next.
    #[inline]
    pub(crate) fn add(&mut self, is_root: bool, is_error: bool, resource: Option<&Arc<Resource>>) {
        if is_root {
            self.root = self.len;
        }
        self.len += 1;
        self.has_errors |= is_error;
        if let Some(resource) = resource
            && self.resource.is_none()
        {
            self.resource = Some(Arc::clone(resource));
        }
    }

    pub(super) fn resource(&self) -> Option<&Arc<Resource>> {
        self.resource.as_ref()
    }

    pub(super) fn has_errors(&self) -> bool {
        self.has_errors
    }

    pub(super) fn len(&self) -> usize {
        self.len as usize
    }

    /// Where the original of a record stands in the column: the root, which is the first record, and the original
    /// that arrived first change places.
    pub(super) fn original_of(&self, record: usize) -> usize {
        let root = self.root as usize;
        match record {
            0 => root,
            _ if record == root => 0,
            _ => record,
        }
    }
}
