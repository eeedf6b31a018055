//! Whether the spans of calls tell how those ended.

/// The spans of two calls, one that works and one that fails, tell the status; of each kind there is how their lines
/// begin, and the status of the one that works.
pub fn is_told(spans: &str, kinds: &[(&str, &str)]) {
    for (kind, well) in kinds {
        let calls: Vec<_> = spans.lines().filter(|line| line.contains(kind)).collect();
        assert_eq!(calls.len(), 2, "{spans}");
        let worked = calls[0].contains(&format!("{kind}{well} "));
        assert!(worked && calls[0].contains("status_code=200"), "{spans}");
        let failed = calls[1].contains(&format!("{kind}Error {{"));
        assert!(failed && calls[1].contains("status_code=500"), "{spans}");
    }
}
