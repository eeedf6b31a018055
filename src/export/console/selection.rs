//! Which spans of a large trace are drawn.

use crate::export::tree::Row;

/// The most spans drawn of one trace.
const MOST: usize = 200;
/// Of those, how many stand at the start and at the end.
const HEAD: usize = 100;
const TAIL: usize = 30;

/// What stands on a line of the drawing.
#[derive(Clone, Copy, Debug)]
pub(super) enum Line<'r, 'a> {
    Span(&'r Row<'a>),
    /// A run of spans that are not drawn. The row is the one nearest to the root among them.
    Gap {
        nearest: &'r Row<'a>,
        spans: usize,
        errors: usize,
    },
}

/// All rows, or the first, the last and those with errors and what leads to them, with the gaps
/// between.
pub(super) fn lines<'r, 'a>(rows: &'r [Row<'a>]) -> Vec<Line<'r, 'a>> {
    if rows.len() <= MOST {
        return rows.iter().map(Line::Span).collect();
    }
    let mut lines = Vec::new();
    for (row, shown) in rows.iter().zip(chosen(rows)) {
        if shown {
            lines.push(Line::Span(row));
            continue;
        }
        let error = usize::from(row.span.is_error());
        if let Some(Line::Gap { nearest, spans, errors }) = lines.last_mut() {
            *spans += 1;
            *errors += error;
            if row.depth < nearest.depth {
                *nearest = row;
            }
        } else {
            lines.push(Line::Gap { nearest: row, spans: 1, errors: error });
        }
    }
    lines
}

/// For each row whether it is drawn.
fn chosen(rows: &[Row<'_>]) -> Vec<bool> {
    let middle = HEAD..rows.len().saturating_sub(TAIL);
    let mut shown: Vec<bool> = (0..rows.len()).map(|at| !middle.contains(&at)).collect();
    let mut left = MOST - HEAD - TAIL;
    // The way from the root to the current row, as indices.
    let mut path: Vec<usize> = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        path.truncate(row.depth as usize);
        path.push(index);
        if !row.span.is_error() || left == 0 {
            continue;
        }
        // The nearest of what leads to it come first; those further up may not fit any more.
        for step in path.iter().rev() {
            match shown.get_mut(*step) {
                Some(drawn) if !*drawn && left > 0 => {
                    *drawn = true;
                    left -= 1;
                }
                _ => break,
            }
        }
    }
    shown
}
