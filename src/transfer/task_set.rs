//! Tasks that run side by side, each with the name of its work. A task that panics reports nothing by itself, and its file must
//! not count as done.

use std::collections::HashMap;

use tokio::task::{Id, JoinSet};

use crate::error::{Error, Kind};

pub struct TaskSet<T> {
    tasks: JoinSet<()>,
    work: HashMap<Id, T>,
}

impl<T> Default for TaskSet<T> {
    fn default() -> Self {
        TaskSet { tasks: JoinSet::new(), work: HashMap::new() }
    }
}

impl<T> TaskSet<T> {
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    pub fn spawn(&mut self, on: T, task: impl Future<Output = ()> + Send + 'static) {
        let task = self.tasks.spawn(task);
        self.work.insert(task.id(), on);
    }

    /// Waits until a task ends. Returns the name of its work and the reason where it panicked.
    pub async fn join_next(&mut self) -> Option<(T, Error)> {
        match self.tasks.join_next_with_id().await? {
            Ok((task, ())) => {
                self.work.remove(&task);
                None
            }
            Err(broken) => {
                let on = self.work.remove(&broken.id())?;
                Some((on, Error::new(Kind::Other, "a defect of haul ended the work on this file").with_cause(broken)))
            }
        }
    }
}

/// Names the file in each log line (`-vv`) of the work on it: the requests of several files mix.
pub fn file_span(name: &str) -> tracing::Span {
    tracing::debug_span!(target: "haul::file", "file", %name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_breaks_down_is_told_by_what_it_worked_on() {
        let mut crew = TaskSet::default();
        crew.spawn("good.mov", async {});
        crew.spawn("bad.mov", async { panic!("on purpose") });
        let mut broken = Vec::new();
        while !crew.is_empty() {
            broken.extend(crew.join_next().await);
        }
        let [(on, error)] = broken.try_into().unwrap();
        assert_eq!((on, error.kind()), ("bad.mov", Kind::Other));
    }
}
