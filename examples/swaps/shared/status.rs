//! Whether the spans of calls tell how those ended.

/// The client and the server of two calls, one that works and one that fails, tell the status; `client` and `server` begin
/// their lines.
pub fn is_told(spans: &str, client: &str, server: &str) {
    for kind in [client, server] {
        let calls: Vec<_> = spans.lines().filter(|line| line.contains(kind)).collect();
        assert_eq!(calls.len(), 2, "{spans}");
        assert!(calls[0].contains("Unset") && calls[0].contains("status_code=200"), "{spans}");
        assert!(calls[1].contains("Error {") && calls[1].contains("status_code=500"), "{spans}");
    }
}
