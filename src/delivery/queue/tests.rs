use proptest::prelude::*;

use super::*;

const NOW: Tick = Tick::from_nanos(0);

fn queue(traces: usize, bytes: usize) -> Queue<u32> {
    Queue::new(Bounds { traces, bytes })
}

fn offer(bytes: usize, error: bool) -> Offer {
    Offer { spans: 1, bytes, error, is_part: false }
}

fn shed(pushed: PushOutcome<u32>) -> Option<Vec<u32>> {
    match pushed {
        PushOutcome::Accepted(shed) => Some(items(shed)),
        PushOutcome::Refused(_) => None,
    }
}

fn items(entries: Vec<Entry<u32>>) -> Vec<u32> {
    entries.into_iter().map(|entry| entry.item).collect()
}

#[test]
fn a_full_queue_refuses_what_has_no_error() {
    let mut queue = queue(2, 100);
    queue.push(1, offer(1, false), NOW);
    queue.push(2, offer(1, false), NOW);
    assert_eq!(shed(queue.push(3, offer(1, false), NOW)), None);
    assert_eq!(items(queue.take(9, 99)), [1, 2]);
}

#[test]
fn an_error_pushes_out_the_oldest_of_the_rest() {
    let mut queue = queue(3, 100);
    queue.push(1, offer(1, true), NOW);
    queue.push(2, offer(1, false), NOW);
    queue.push(3, offer(1, false), NOW);
    assert_eq!(shed(queue.push(4, offer(1, true), NOW)), Some(vec![2]));
    assert_eq!(items(queue.take(9, 99)), [1, 3, 4]);
}

#[test]
fn an_error_that_would_not_fit_even_then_pushes_nobody_out() {
    let mut queue = queue(9, 10);
    queue.push(1, offer(6, true), NOW);
    queue.push(2, offer(4, false), NOW);
    assert_eq!(shed(queue.push(3, offer(5, true), NOW)), None);
    assert_eq!(items(queue.take(9, 99)), [1, 2]);
}

#[test]
fn what_is_larger_than_the_whole_queue_is_refused() {
    let mut queue = queue(9, 10);
    assert_eq!(shed(queue.push(1, offer(11, true), NOW)), None);
    assert_eq!(shed(queue.push(2, offer(usize::MAX, true), NOW)), None);
    assert!(queue.is_empty());
}

#[test]
fn one_that_is_larger_than_a_batch_goes_alone() {
    let mut queue = queue(9, 100);
    queue.push(1, offer(50, false), NOW);
    queue.push(2, offer(1, false), NOW);
    assert_eq!(items(queue.take(9, 10)), [1]);
    assert_eq!(items(queue.take(9, 10)), [2]);
}

#[test]
fn the_memory_of_a_burst_is_given_back() {
    let mut queue = queue(10_000, 10_000);
    for item in 0..10_000 {
        queue.push(item, offer(1, false), NOW);
    }
    while !queue.take(1000, 1000).is_empty() {}
    assert!(queue.rest.capacity() <= IDLE_PLACES);
}

/// The same rules over one list, written to be obvious.
struct Naive {
    bounds: Bounds,
    list: Vec<(u32, Offer)>,
}

impl Naive {
    fn bytes(&self) -> usize {
        self.list.iter().map(|(_, offer)| offer.bytes).sum()
    }

    fn spans(&self) -> usize {
        self.list.iter().map(|(_, offer)| offer.spans).sum()
    }

    fn fits(&self, offer: Offer) -> bool {
        self.list.len() < self.bounds.traces && self.bytes() + offer.bytes <= self.bounds.bytes
    }

    /// What had to go, or `None` when the newcomer was refused.
    fn push(&mut self, item: u32, offer: Offer) -> Option<Vec<u32>> {
        let before = self.list.clone();
        let mut shed = Vec::new();
        while !self.fits(offer) {
            let oldest = self.list.iter().position(|(_, waiting)| !waiting.error);
            match oldest.filter(|_| offer.error) {
                Some(oldest) => shed.push(self.list.remove(oldest).0),
                None => {
                    self.list = before;
                    return None;
                }
            }
        }
        self.list.push((item, offer));
        Some(shed)
    }

    fn take(&mut self, max_spans: usize, max_bytes: usize) -> Vec<u32> {
        let mut count = 0;
        while count < self.list.len() {
            let batch = &self.list[..=count];
            let spans: usize = batch.iter().map(|(_, offer)| offer.spans).sum();
            let bytes: usize = batch.iter().map(|(_, offer)| offer.bytes).sum();
            if count > 0 && (spans > max_spans || bytes > max_bytes) {
                break;
            }
            count += 1;
        }
        self.list.drain(..count).map(|(item, _)| item).collect()
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Push(Offer),
    Take(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let push = (0_usize..5, 0_usize..40, any::<bool>()).prop_map(|(spans, bytes, error)| {
        Step::Push(Offer { spans, bytes, error, is_part: false })
    });
    let take = (0_usize..8, 0_usize..60).prop_map(|(spans, bytes)| Step::Take(spans, bytes));
    prop_oneof![4 => push, 1 => take]
}

proptest! {
    #[test]
    fn it_does_what_the_naive_list_does(
        traces in 0_usize..8,
        bytes in 0_usize..100,
        steps in proptest::collection::vec(step(), 0..200),
    ) {
        let bounds = Bounds { traces, bytes };
        let mut queue = Queue::new(bounds);
        let mut naive = Naive { bounds, list: Vec::new() };
        let mut pushed = 0;
        let mut refused = 0;
        let mut gone = 0;
        let mut taken = 0;
        for step in steps {
            match step {
                Step::Push(offer) => {
                    let had_rest = naive.list.iter().any(|(_, waiting)| !waiting.error);
                    let ours = shed(queue.push(pushed, offer, NOW));
                    prop_assert_eq!(&ours, &naive.push(pushed, offer));
                    pushed += 1;
                    match ours {
                        Some(shed) => {
                            prop_assert!(shed.is_empty() || (offer.error && had_rest));
                            gone += shed.len();
                        }
                        None => refused += 1,
                    }
                }
                Step::Take(spans, bytes) => {
                    let batch = items(queue.take(spans, bytes));
                    prop_assert_eq!(&batch, &naive.take(spans, bytes));
                    prop_assert!(batch.is_sorted());
                    taken += batch.len();
                }
            }
            prop_assert_eq!(pushed as usize, refused + gone + taken + queue.len());
            prop_assert!(queue.len() <= traces && queue.bytes() <= bytes);
            prop_assert_eq!(queue.bytes(), naive.bytes());
            prop_assert_eq!(queue.spans(), naive.spans());
            prop_assert_eq!(queue.spans(), queue.spans_before(queue.next_seq()));
            prop_assert_eq!(queue.front().is_none(), naive.list.is_empty());
        }
    }
}
