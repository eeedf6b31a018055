//! What is known of all originals of a store together.

use std::ops::Range;
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

    /// Adds what is known of originals that stand behind these.
    pub(super) fn append(&mut self, more: Self) {
        if self.len == 0 {
            *self = more;
            return;
        }
        self.len += more.len;
        self.has_errors |= more.has_errors;
        self.resource = self.resource.take().or(more.resource);
    }

    /// What is known of the originals at some places of the column.
    pub(super) fn of_part(&self, places: &Range<usize>, has_errors: bool) -> Self {
        let root = (self.root as usize).checked_sub(places.start);
        let root = root.filter(|root| *root < places.len()).unwrap_or(0);
        Self {
            resource: self.resource.clone(),
            root: root as u32,
            len: places.len() as u32,
            has_errors,
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
