//! The thread that writes. It writes all notes since the last write as one transaction, and then answers each caller that waits
//! for its note: a hundred uploads at once wait for one write, not for a hundred. A note that no caller waits for is written
//! with the next note that a caller waits for, or soon.
//!
//! While several files are in work, a write waits a moment for their notes, too: on two processors a transaction for each small
//! file costs more than everything else that is done for the file.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::changes::PendingChanges;
use super::database::{Database, Unanswered, blocking};
use super::folder::StateFolder;
#[cfg(debug_assertions)]
use super::power_cut::{CutMoment, PowerCut};
use crate::contract::NoteMark;

/// The longest time that a note waits to be written with other notes.
const SOON: Duration = Duration::from_millis(10);
/// The longest time that a caller waits for the notes of other files, so that one write serves all of them.
const GATHER: Duration = Duration::from_millis(1);
/// A database that another process holds is asked again after so long.
const LATER: Duration = Duration::from_secs(1);

/// Told whether the note is on the disk.
type OnWritten = Box<dyn FnOnce(bool) + Send>;

pub(super) struct Writer {
    folder: Arc<StateFolder>,
    shared: Arc<WriterShared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct WriterShared {
    queue: Mutex<NoteQueue>,
    changed: Condvar,
    database: Mutex<Database>,
    /// The number of places in work: each of them may note something in a moment.
    in_work: AtomicUsize,
    #[cfg(debug_assertions)]
    cut: Mutex<PowerCut>,
}

#[derive(Default)]
struct NoteQueue {
    /// Notes since the beginning, and those of them that are written or given up.
    noted: NoteMark,
    over: NoteMark,
    /// The first that was given up: the folder is of no use since, and no later note was written either.
    given_up: Option<NoteMark>,
    /// What the database was not given yet, and when it is to be given at the latest.
    waiting: PendingChanges,
    due: Option<Instant>,
    /// What it is given just now: others read it here until it is there.
    writing: Arc<PendingChanges>,
    answers: Vec<(NoteMark, OnWritten)>,
    /// When the first of them is to be answered at the latest.
    answers_due: Option<Instant>,
    /// Given back after the next write.
    held: Vec<Box<dyn Send>>,
    ends: bool,
    /// This machine gives no more threads: a caller that waits for a note writes it itself.
    is_without_thread: bool,
}

impl Writer {
    pub(super) fn new(folder: Arc<StateFolder>) -> Writer {
        let database = Mutex::new(Database::new(folder.clone()));
        let shared = WriterShared {
            queue: Mutex::default(),
            changed: Condvar::new(),
            database,
            in_work: AtomicUsize::new(0),
            #[cfg(debug_assertions)]
            cut: Mutex::default(),
        };
        Writer { folder, shared: Arc::new(shared), thread: Mutex::default() }
    }

    /// To be written soon.
    pub(super) fn note(&self, change: impl FnOnce(&mut PendingChanges)) -> NoteMark {
        self.start();
        let mut queue = self.shared.queue.lock();
        change(&mut queue.waiting);
        queue.noted += 1;
        let (mark, is_first) = (queue.noted, queue.due.is_none());
        if is_first {
            queue.due = Some(Instant::now() + SOON);
        }
        drop(queue);
        if is_first {
            self.shared.changed.notify_one();
        }
        mark
    }

    pub(super) fn last_note(&self) -> NoteMark {
        self.shared.queue.lock().noted
    }

    /// `answer` is called when everything up to the note is on the disk, or can't be written: at once, or by the thread that
    /// writes.
    pub(super) fn when_written(&self, note: NoteMark, answer: impl FnOnce(bool) + Send + 'static) {
        let mut queue = self.shared.queue.lock();
        if note <= queue.over {
            let is_written = queue.given_up.is_none_or(|first| note < first);
            drop(queue);
            return answer(is_written);
        }
        queue.answers.push((note, Box::new(answer)));
        let is_first = queue.answers_due.is_none();
        queue.answers_due.get_or_insert_with(|| Instant::now() + GATHER);
        let (is_alone, is_enough) = (queue.is_without_thread, self.shared.has_gathered(&queue));
        drop(queue);
        if is_alone {
            blocking(|| self.shared.write());
        } else if is_first || is_enough {
            self.shared.changed.notify_one();
        }
    }

    /// Blocks until everything that was noted is on the disk; false: it can't be brought there.
    pub(super) fn settle(&self) -> bool {
        let (tell, told) = std::sync::mpsc::channel();
        self.when_written(self.last_note(), move |written| {
            let _ = tell.send(written);
        });
        blocking(|| told.recv()).unwrap_or(false) && !self.folder.is_unusable()
    }

    /// The lock of a place in work, which others may take only when all that was noted by the time of its end is there for them
    /// to read. Nobody waits for that.
    pub(super) fn until_written(&self, held: Box<dyn Send>) -> UntilWritten {
        self.shared.in_work.fetch_add(1, Ordering::Relaxed);
        UntilWritten { shared: self.shared.clone(), held: Some(held) }
    }

    /// Looks through what is not in the database yet, the latest first.
    pub(super) fn find_pending<T>(&self, look: impl Fn(&PendingChanges) -> Option<T>) -> Option<T> {
        let queue = self.shared.queue.lock();
        look(&queue.waiting).or_else(|| look(&queue.writing))
    }

    fn start(&self) {
        let mut thread = self.thread.lock();
        if thread.is_none() && !self.shared.queue.lock().is_without_thread {
            let shared = self.shared.clone();
            *thread = std::thread::Builder::new().name("haul state".into()).spawn(move || while shared.write_when_due() {}).ok();
            self.shared.queue.lock().is_without_thread = thread.is_none();
        }
    }

    #[cfg(test)]
    pub(super) fn with<T>(&self, work: impl Fn(&rusqlite::Connection) -> rusqlite::Result<T>) -> Option<T> {
        self.settle();
        self.shared.database.lock().ask(work).ok()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.queue.lock().ends = true;
        self.shared.changed.notify_one();
        match self.thread.lock().take() {
            Some(thread) => drop(thread.join()),
            None => self.shared.write(),
        }
    }
}

pub(super) struct UntilWritten {
    shared: Arc<WriterShared>,
    held: Option<Box<dyn Send>>,
}

impl Drop for UntilWritten {
    fn drop(&mut self) {
        self.shared.in_work.fetch_sub(1, Ordering::Relaxed);
        let mut queue = self.shared.queue.lock();
        if queue.over < queue.noted && !queue.ends {
            queue.held.extend(self.held.take());
        }
        // Without a thread, the caller that waits writes.
        let is_alone = queue.is_without_thread;
        drop(queue);
        if is_alone && self.held.is_none() {
            blocking(|| self.shared.write());
        }
    }
}

impl WriterShared {
    /// False: nothing more comes.
    fn write_when_due(&self) -> bool {
        let mut queue = self.queue.lock();
        while !self.has_gathered(&queue) && !queue.ends {
            let due = queue.answers_due.into_iter().chain(queue.due).min();
            match due.map(|due| due.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => break,
                Some(wait) => drop(self.changed.wait_for(&mut queue, wait)),
                None => self.changed.wait(&mut queue),
            }
        }
        let ends = queue.ends;
        drop(queue);
        self.write();
        !ends
    }

    /// Half of the files in work wait, so the others are not waited for.
    fn has_gathered(&self, queue: &NoteQueue) -> bool {
        !queue.answers.is_empty() && queue.answers.len() * 2 >= self.in_work.load(Ordering::Relaxed)
    }

    fn write_through(&self, database: &mut Database, changes: &PendingChanges) -> Result<(), Unanswered> {
        #[cfg(debug_assertions)]
        {
            let mut cut = self.cut.lock();
            cut.next();
            cut.at(CutMoment::Before);
        }
        let written = database.ask(|db| changes.write(db));
        #[cfg(debug_assertions)]
        self.cut.lock().at(CutMoment::After);
        written
    }

    /// One transaction with all that waits.
    fn write(&self) {
        let mut database = self.database.lock();
        let mut queue = self.queue.lock();
        let changes = Arc::new(std::mem::take(&mut queue.waiting));
        let (noted, answers, held) = (queue.noted, std::mem::take(&mut queue.answers), std::mem::take(&mut queue.held));
        (queue.writing, queue.due, queue.answers_due) = (changes.clone(), None, None);
        drop(queue);
        let written = match changes.is_empty() {
            true => Ok(()),
            false => self.write_through(&mut database, &changes),
        };
        drop(changes);
        let mut queue = self.queue.lock();
        let changes = std::mem::take(&mut queue.writing);
        if let (Err(Unanswered::Busy), Ok(mut kept)) = (written, Arc::try_unwrap(changes).map_err(drop)) {
            kept.extend(std::mem::take(&mut queue.waiting));
            (queue.waiting, queue.due) = (kept, Some(Instant::now() + LATER));
        } else {
            let first = std::mem::replace(&mut queue.over, noted) + 1;
            if written.is_err() {
                queue.given_up.get_or_insert(first);
            }
        }
        drop(queue);
        drop(held);
        answers.into_iter().for_each(|(_, answer)| answer(written.is_ok()));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::folder::FILE;
    use super::*;

    fn writer(dir: &Path) -> Writer {
        Writer::new(Arc::new(StateFolder::new(Some(dir.to_owned()))))
    }

    fn note(writer: &Writer, key: &str, name: &str) -> NoteMark {
        writer.note(|changes| drop(changes.stored_as.insert(key.into(), name.into())))
    }

    fn names(dir: &Path) -> i64 {
        let db = rusqlite::Connection::open(dir.join(FILE)).unwrap();
        db.query_row("SELECT count(*) FROM stored_as", [], |row| row.get(0)).unwrap()
    }

    /// Transactions in the write-ahead log: the last frame of each tells the size of the database.
    fn transactions(dir: &Path) -> usize {
        let log = std::fs::read(dir.join("state.db-wal")).unwrap();
        log[32..].chunks_exact(24 + 4096).filter(|frame| frame[4..8] != [0; 4]).count()
    }

    #[test]
    fn a_hundred_that_wait_wait_for_one_write() {
        let dir = tempfile::tempdir().unwrap();
        let writer = writer(dir.path());
        note(&writer, "first", "1");
        assert!(writer.settle());
        let before = transactions(dir.path());
        let answered = Arc::new(AtomicUsize::new(0));
        let busy = writer.shared.database.lock();
        for n in 0..100 {
            let (mark, answered) = (note(&writer, &format!("key {n}"), "a"), answered.clone());
            writer.when_written(mark, move |written| {
                answered.fetch_add(usize::from(written), Ordering::SeqCst);
            });
        }
        assert_eq!(answered.load(Ordering::SeqCst), 0, "nobody hears of it before it is on the disk");
        drop(busy);
        assert!(writer.settle());
        assert_eq!((answered.load(Ordering::SeqCst), transactions(dir.path()) - before, names(dir.path())), (100, 1, 101));
    }

    /// One file at a time waits for nobody; of several the first ones wait for more, and for a moment only.
    #[test]
    fn a_write_waits_a_moment_for_the_other_files_in_work() {
        let dir = tempfile::tempdir().unwrap();
        let writer = writer(dir.path());
        note(&writer, "first", "1");
        assert!(writer.settle());
        let enough = |writer: &Writer, waiting: usize| {
            let queue = NoteQueue { answers: (0..waiting).map(|_| (1, Box::new(|_| ()) as OnWritten)).collect(), ..NoteQueue::default() };
            writer.shared.has_gathered(&queue)
        };
        assert!(!enough(&writer, 0) && enough(&writer, 1));
        let places: Vec<_> = (0..8).map(|_| writer.until_written(Box::new(()))).collect();
        assert!(!enough(&writer, 3) && enough(&writer, 4));
        // Seven of the eight have nothing to note: the one that waits is answered all the same.
        note(&writer, "alone", "1");
        assert!(writer.settle());
        drop(places);
        assert!(enough(&writer, 1));
    }

    /// Whoever takes a place reads what the one before noted there.
    #[test]
    fn what_is_held_is_given_back_when_others_can_read_why() {
        let dir = tempfile::tempdir().unwrap();
        let writer = writer(dir.path());
        let held = Arc::new(());
        drop(writer.until_written(Box::new(held.clone())));
        assert_eq!(Arc::strong_count(&held), 1, "nothing is noted");
        let busy = writer.shared.database.lock();
        note(&writer, "a", "1");
        drop(writer.until_written(Box::new(held.clone())));
        assert_eq!(Arc::strong_count(&held), 2);
        drop(busy);
        assert!(writer.settle());
        assert_eq!((Arc::strong_count(&held), names(dir.path())), (1, 1));
    }

    #[test]
    fn what_nobody_waits_for_is_written_soon_and_at_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let writer = writer(dir.path());
        note(&writer, "a", "1");
        assert!(writer.settle());
        note(&writer, "b", "1");
        let begun = Instant::now();
        while names(dir.path()) < 2 {
            assert!(begun.elapsed() < Duration::from_secs(60));
            std::thread::yield_now();
        }
        note(&writer, "c", "1");
        drop(writer);
        assert_eq!(names(dir.path()), 3);
    }

    /// The answer is right however late the call comes.
    #[test]
    fn a_note_that_was_given_up_was_never_written() {
        let dir = tempfile::tempdir().unwrap();
        let writer = writer(dir.path());
        let first = note(&writer, "a", "1");
        assert!(writer.settle());
        writer.shared.database.lock().ask(|db| db.execute_batch("DROP TABLE stored_as")).unwrap();
        let (second, third) = (note(&writer, "b", "1"), note(&writer, "c", "1"));
        assert!(!writer.settle());
        let asked = |mark| {
            let (tell, told) = std::sync::mpsc::channel();
            writer.when_written(mark, move |written| tell.send(written).unwrap());
            told.recv().unwrap()
        };
        assert_eq!([first, second, third].map(asked), [true, false, false]);
    }

    #[test]
    fn without_a_thread_whoever_waits_writes() {
        let dir = tempfile::tempdir().unwrap();
        let writer = writer(dir.path());
        writer.shared.queue.lock().is_without_thread = true;
        note(&writer, "a", "1");
        assert!(writer.settle() && names(dir.path()) == 1);
        note(&writer, "b", "1");
        drop(writer);
        assert_eq!(names(dir.path()), 2);
    }
}
