//! A plan as it comes: the walk over the local folders runs in a thread of its own, a bounded number of files ahead of what
//! is sent. The first file is on its way while the walk goes on, and what is done takes no memory.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::{JoinHandle, spawn_blocking};

use super::plan::{PlanStep, PlannedSource};
use crate::error::{Error, Kind};

/// Steps that are handed over together, as each handing over may wake a thread.
const PIECE: usize = 64;
/// Pieces that wait at most: about eight thousand files, so that the totals of most runs are known at once.
const PIECES: usize = 128;

/// The steps of a plan, in order.
pub struct PlanStream {
    ready: VecDeque<PlanStep>,
    totals: Arc<Totals>,
    walk: Option<Walk>,
}

/// Files and bytes of all steps so far, those ahead of what is sent included.
#[derive(Default)]
struct Totals {
    files: AtomicU64,
    bytes: AtomicU64,
}

impl Totals {
    fn count(&self, step: &PlanStep) {
        let size = match step {
            PlanStep::Put(item) => item.size.unwrap_or(0),
            PlanStep::Unfit(..) => 0,
            PlanStep::EmptyFolder(_) | PlanStep::LeftOut(..) | PlanStep::Special(..) => return,
        };
        self.files.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(size, Ordering::Relaxed);
    }
}

struct Walk {
    pieces: Receiver<Vec<PlanStep>>,
    thread: JoinHandle<()>,
}

impl PlanStream {
    /// Walks as far ahead as there is room.
    pub fn walk(planned: Vec<PlannedSource>) -> PlanStream {
        PlanStream::of(move || planned.into_iter().flat_map(PlannedSource::steps))
    }

    /// What `steps` brings, asked for in a thread of its own.
    pub fn of<I: Iterator<Item = PlanStep>>(steps: impl FnOnce() -> I + Send + 'static) -> PlanStream {
        let (sender, pieces) = channel(PIECES);
        let totals = Arc::<Totals>::default();
        let counted = totals.clone();
        let thread = spawn_blocking(move || hand_over(steps().inspect(|step| counted.count(step)), &sender));
        PlanStream { ready: VecDeque::new(), totals, walk: Some(Walk { pieces, thread }) }
    }

    /// All of a plan that is known already.
    pub fn whole(steps: impl IntoIterator<Item = PlanStep>) -> PlanStream {
        let totals = Arc::<Totals>::default();
        let ready = steps.into_iter().inspect(|step| totals.count(step)).collect();
        PlanStream { ready, totals, walk: None }
    }

    /// Files and bytes of the plan, as far as it is known.
    pub fn totals(&self) -> (u64, u64) {
        (self.totals.files.load(Ordering::Relaxed), self.totals.bytes.load(Ordering::Relaxed))
    }

    /// The next step; none at the end. A call that is given up loses none.
    pub async fn next(&mut self) -> Option<PlanStep> {
        while self.ready.is_empty() {
            let walk = self.walk.as_mut()?;
            match walk.pieces.recv().await {
                Some(piece) => self.ready.extend(piece),
                None => {
                    // What a walk that broke down has not come to must not pass for put.
                    let broken = (&mut walk.thread).await.err();
                    self.walk = None;
                    let broken = broken.map(|e| {
                        let error = Error::new(Kind::Other, "the sources could not be read to their end").with_cause(e);
                        PlanStep::Unfit("the sources".to_owned(), error)
                    });
                    broken.iter().for_each(|step| self.totals.count(step));
                    self.ready.extend(broken);
                }
            }
        }
        self.ready.pop_front()
    }
}

/// In pieces, but at once where nothing waits to be taken. Ends when nobody takes them any more.
fn hand_over(steps: impl Iterator<Item = PlanStep>, sender: &Sender<Vec<PlanStep>>) {
    let mut piece = Vec::new();
    for step in steps {
        piece.push(step);
        let is_awaited = sender.capacity() == sender.max_capacity();
        if (is_awaited || piece.len() >= PIECE) && sender.blocking_send(std::mem::take(&mut piece)).is_err() {
            return;
        }
    }
    if !piece.is_empty() {
        // Nobody is left to be told.
        let _ = sender.blocking_send(piece);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::model::RemotePath;
    use crate::transfer::put::plan::PutItem;
    use crate::transfer::source::SourceSpec;

    fn step(size: u64) -> PlanStep {
        PlanStep::Put(PutItem { origin: SourceSpec::File("x".into()), folder: RemotePath::root(), name: "x".into(), size: Some(size) })
    }

    #[tokio::test]
    async fn a_walk_goes_no_further_than_there_is_room() {
        let walked = Arc::new(AtomicUsize::new(0));
        let count = walked.clone();
        let steps = move || {
            (0..100_000).map(move |_| {
                count.fetch_add(1, Ordering::Relaxed);
                step(2)
            })
        };
        let mut stream = PlanStream::of(steps);
        let mut taken = 0;
        while stream.next().await.is_some() {
            taken += 1;
            let ahead = walked.load(Ordering::Relaxed) - taken;
            assert!(ahead <= (PIECES + 2) * PIECE, "{ahead} ahead");
        }
        assert_eq!((taken, stream.totals()), (100_000, (100_000, 200_000)));
    }

    #[tokio::test]
    async fn a_walk_that_nobody_follows_ends_and_one_that_breaks_down_is_told() {
        let (sender, pieces) = channel(1);
        drop(pieces);
        spawn_blocking(move || hand_over(std::iter::repeat_with(|| step(1)), &sender)).await.unwrap();
        let mut stream = PlanStream::of(|| (0..3).map(|n| if n < 2 { step(n) } else { panic!("on purpose") }));
        let mut last = None;
        while let Some(step) = stream.next().await {
            last = Some(step);
        }
        assert!(matches!(last, Some(PlanStep::Unfit(..))), "{last:?}");
    }
}
