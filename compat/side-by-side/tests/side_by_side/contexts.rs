//! Remote parents, contexts, links, and what is said of a span through the extension trait.

use std::cell::RefCell;

use tailtrace_side_by_side::{HIDDEN, Peer, REMOTE_SPAN, REMOTE_TRACE, Sides, Value};
use tracing::{Span, info, info_span};

/// Runs a program on both sides and keeps what it returned, theirs first, then under the layer.
fn answers<R>(run: impl Fn(&dyn Peer) -> R) -> (Sides, [R; 2]) {
    answers_of(|program| Sides::of(program), run)
}

fn answers_of<R>(
    sides: impl FnOnce(&dyn Fn(&dyn Peer)) -> Sides,
    run: impl Fn(&dyn Peer) -> R,
) -> (Sides, [R; 2]) {
    let answers = RefCell::new(Vec::new());
    let sides = sides(&|peer| answers.borrow_mut().push(run(peer)));
    let mut answers = answers.into_inner();
    // Where the subscriber ran it too, what it exported has been compared.
    answers.truncate(2);
    let answers = answers.try_into();
    (sides, answers.unwrap_or_else(|_| panic!("the program did not run twice")))
}

fn error(name: &str) -> Result<(), String> {
    Err(name.to_owned())
}

#[test]
fn a_remote_parent_set_before_the_span_is_entered_gives_its_trace() {
    let (sides, answers) = answers(|peer| {
        let span = info_span!("s");
        peer.set_parent(&span).unwrap();
        // Again, before anything happened.
        peer.set_parent(&span).unwrap();
        let _inside = span.enter();
        drop(info_span!("child"));
        let (trace, own) = peer.context(&span).unwrap();
        assert_ne!(own, REMOTE_SPAN);
        trace
    });
    assert_eq!(answers, [REMOTE_TRACE, REMOTE_TRACE]);
    let same = sides.same();
    assert_eq!(same[1].parent.as_deref(), Some("remote"));
    assert_eq!(same[0].trace, "child s of remote");
}

#[test]
fn the_context_is_the_one_that_is_exported() {
    let (sides, _) = answers(|peer| {
        let span = info_span!("s");
        let context = peer.context(&span).unwrap();
        assert_eq!(peer.context(&span), Some(context.clone()));
        let child = info_span!(parent: &span, "child");
        assert_eq!(peer.context(&child).unwrap().0, context.0);
        let current = span.in_scope(|| peer.context(&Span::current()));
        assert_eq!(current, Some(context));
    });
    assert_eq!(sides.same()[0].trace, "child s");
}

#[test]
fn a_parent_is_refused_when_the_ids_were_read_or_the_span_has_a_child() {
    let (sides, answers) = answers(|peer| {
        let (read, parent) = (info_span!("read"), info_span!("parent"));
        peer.context(&read);
        drop(info_span!(parent: &parent, "child"));
        let followed = info_span!("followed");
        info_span!("follower").follows_from(&followed);
        [peer.set_parent(&read), peer.set_parent(&parent), peer.set_parent(&followed)]
    });
    for answer in answers.as_flattened() {
        assert_eq!(*answer, error("AlreadyStarted"));
    }
    let (theirs, ours) = sides.span("parent");
    assert_eq!((theirs.parent.as_deref(), ours.parent.as_deref()), (None, None));
    // Here a link keeps what would be lost.
    assert_eq!(theirs.links, []);
    assert_eq!(ours.links, [("remote".to_owned(), vec![])]);
}

#[test]
fn a_span_that_is_not_there_has_no_parent_and_no_context() {
    let (_, answers) =
        answers(|peer| (peer.set_parent(&Span::none()), peer.context(&Span::none())));
    assert_eq!(answers, [(error("SpanDisabled"), None), (error("SpanDisabled"), None)]);
    let (_, answers) = answers_of(
        |program| Sides::of(program),
        |peer| {
            let subscriber = tracing_subscriber::registry();
            tracing::subscriber::with_default(subscriber, || peer.set_parent(&info_span!("s")))
        },
    );
    assert_eq!(answers, [error("LayerNotFound"), error("LayerNotFound")]);
}

#[test]
fn difference_an_entered_span_takes_a_parent_here() {
    #[tracing::instrument(name = "handle", skip_all)]
    fn handle(peer: &dyn Peer) -> Result<(), String> {
        peer.set_parent(&Span::current())
    }
    let (sides, answers) = answers(handle);
    assert_eq!(answers, [error("AlreadyStarted"), Ok(())]);
    let (theirs, ours) = sides.span("handle");
    assert_eq!((theirs.parent.as_deref(), theirs.trace.as_str()), (None, "handle"));
    assert_eq!((ours.parent.as_deref(), ours.trace.as_str()), (Some("remote"), "handle of remote"));
}

#[test]
fn difference_a_hidden_span_says_here_that_it_takes_no_parent() {
    let (sides, answers) = answers_of(
        |program| Sides::filtered(program),
        |peer| {
            drop(info_span!("s"));
            peer.set_parent(&info_span!(target: HIDDEN, "hidden"))
        },
    );
    assert_eq!(answers, [Ok(()), error("SpanDisabled")]);
    assert_eq!(sides.same()[0].trace, "s");
}

#[test]
fn difference_a_hidden_span_has_the_context_of_its_ancestor_here() {
    let (sides, [theirs, ours]) = answers_of(
        |program| Sides::filtered(program),
        |peer| {
            let _outer = info_span!("outer").entered();
            let hidden = info_span!(target: HIDDEN, "hidden");
            peer.context(&hidden).map(|context| Some(context) == peer.context(&Span::current()))
        },
    );
    assert_eq!((theirs, ours), (None, Some(true)));
    assert_eq!(sides.same().len(), 1);
}

#[test]
fn links_have_tags() {
    let same = Sides::of(|peer| {
        let span = info_span!("s");
        peer.add_link(&span, &[("batch", Value::I64(1)), ("why", Value::text("retry"))]);
        let _inside = span.enter();
        peer.add_link(&span, &[]);
    });
    let links = &same.same()[0].links;
    assert_eq!((links.len(), links[0].0.as_str(), links[0].1.len()), (2, "remote", 2));
}

#[test]
fn tags_are_set_whether_or_not_the_span_declares_them() {
    let same = Sides::of(|peer| {
        let span = info_span!("s");
        peer.set_tag(&span, "a", Value::Bool(true));
        peer.set_tag(&span, "b", Value::F64("0.5".to_owned()));
        let _inside = span.enter();
        peer.set_tag(&span, "c", Value::Array(vec![Value::I64(1), Value::I64(2)]));
        peer.set_tag(&span, "d", Value::text("text"));
        peer.set_tag(&span, "e", Value::I64(-1));
    });
    assert_eq!(same.same()[0].keys()[6..11], ["a", "b", "c", "d", "e"]);
}

#[test]
fn the_status_is_set() {
    let same = Sides::of(|peer| {
        let (fine, early, late) = (info_span!("fine"), info_span!("early"), info_span!("late"));
        peer.set_status(&early, Some("no paper"));
        late.in_scope(|| peer.set_status(&late, Some("no ink")));
        fine.in_scope(|| {
            peer.set_status(&fine, Some("first"));
            peer.set_status(&fine, None);
            peer.set_status(&fine, Some("after"));
        });
    });
    let status: Vec<_> = same.same().into_iter().map(|span| span.status).collect();
    assert_eq!(status, ["error: no paper", "ok", "error: no ink"]);
}

#[test]
fn an_event_can_be_added_to_a_span_the_thread_is_not_inside_of() {
    let same = Sides::of(|peer| {
        let span = info_span!("s");
        info_span!("other").in_scope(|| {
            peer.log_event(&span, "early", &[("rows", Value::I64(3))]);
            span.in_scope(|| ());
            peer.log_event(&span, "late", &[("text", Value::text("x")), ("ok", Value::Bool(true))]);
            info!("ordinary");
        });
    });
    let same = same.same();
    let names: Vec<_> = same[1].logs.iter().map(|log| log.name.as_str()).collect();
    assert_eq!(names, ["early", "late"]);
    // Without what the layer says of ordinary events.
    assert_eq!(same[1].logs[1].keys(), ["text", "ok"]);
}
