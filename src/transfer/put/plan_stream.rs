//! A plan as it comes: the walk over the local folders runs in a thread of its own, some thousand files ahead of what is sent.

use std::sync::Arc;

use super::plan::{PlanStep, PlannedSource};
use crate::error::{Error, Kind};
use crate::transfer::steps_ahead::{StepSender, StepsAhead, Totals};

/// The steps of a plan, in order.
pub struct PlanStream {
    steps: StepsAhead<PlanStep>,
    totals: Arc<Totals>,
    is_broken: bool,
}

fn count(totals: &Totals, step: &PlanStep) {
    match step {
        PlanStep::Put(item) => totals.count(item.size),
        PlanStep::Rejected(..) => totals.count(None),
        PlanStep::EmptyFolder(_) | PlanStep::LeftOut(..) | PlanStep::Special(..) => {}
    }
}

impl PlanStream {
    /// Walks as far ahead as there is room.
    pub fn walk(planned: Vec<PlannedSource>) -> PlanStream {
        PlanStream::of(move || planned.into_iter().flat_map(PlannedSource::steps))
    }

    /// What `steps` brings, asked for in a thread of its own.
    pub fn of<I: Iterator<Item = PlanStep>>(steps: impl FnOnce() -> I + Send + 'static) -> PlanStream {
        let totals = Arc::<Totals>::default();
        let counted = totals.clone();
        let steps = StepsAhead::of(move || steps().inspect(move |step| count(&counted, step)));
        PlanStream { steps, totals, is_broken: false }
    }

    /// All of a plan that is known already.
    pub fn whole(steps: impl IntoIterator<Item = PlanStep>) -> PlanStream {
        let totals = Arc::<Totals>::default();
        let steps = StepsAhead::whole(steps.into_iter().inspect(|step| count(&totals, step)));
        PlanStream { steps, totals, is_broken: false }
    }

    /// What somebody sends. `hold`: as [`StepsAhead::channel`].
    pub(in crate::transfer) fn channel(hold: usize) -> (PlanSender, PlanStream) {
        let (sender, steps) = StepsAhead::channel(hold);
        let totals = Arc::<Totals>::default();
        (PlanSender { sender, totals: totals.clone() }, PlanStream { steps, totals, is_broken: false })
    }

    /// Files and bytes of the plan, as far as it is known.
    pub fn totals(&self) -> (u64, u64) {
        self.totals.so_far()
    }

    /// The next step; none at the end. A call that is given up loses none.
    pub async fn next(&mut self) -> Option<PlanStep> {
        if self.is_broken {
            return None;
        }
        match self.steps.next().await {
            Ok(step) => step,
            // What a walk that broke down has not come to must not pass for put.
            Err(e) => {
                self.is_broken = true;
                let error = Error::new(Kind::Other, "the sources could not be read to their end").with_cause(e);
                let step = PlanStep::Rejected("the sources".to_owned(), error);
                count(&self.totals, &step);
                Some(step)
            }
        }
    }
}

/// Hands over the steps of a plan.
pub(in crate::transfer) struct PlanSender {
    pub sender: StepSender<PlanStep>,
    totals: Arc<Totals>,
}

impl PlanSender {
    /// Waits where what is sent is far behind.
    pub async fn send(&mut self, step: PlanStep) {
        count(&self.totals, &step);
        self.sender.send(step).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RemotePath;
    use crate::transfer::put::plan::PutItem;
    use crate::transfer::source::SourceSpec;

    fn step(size: u64) -> PlanStep {
        PlanStep::Put(PutItem { origin: SourceSpec::File("x".into()), folder: RemotePath::root(), name: "x".into(), size: Some(size) })
    }

    #[tokio::test]
    async fn totals_grow_and_a_walk_that_breaks_down_is_told_once() {
        let mut stream = PlanStream::of(|| (0..300).map(|_| step(2)));
        while stream.next().await.is_some() {}
        assert_eq!(stream.totals(), (300, 600));
        let mut stream = PlanStream::of(|| (0..3).map(|n| if n < 2 { step(n) } else { panic!("on purpose") }));
        let mut last = None;
        while let Some(step) = stream.next().await {
            last = Some(step);
        }
        assert!(matches!(last, Some(PlanStep::Rejected(..))), "{last:?}");
    }
}
