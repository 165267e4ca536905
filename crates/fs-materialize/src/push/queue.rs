//! Pushes to one view that wait for the same commit.
//!
//! A table takes one commit at a time. Whoever has the turn commits what everybody is waiting with;
//! who comes meanwhile waits for the next turn, and finds its rows committed by then as often as not.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use fs_core::ViewName;
use fs_offline::{Appended, Error, OfflineStore, Push, TableSchema};
use tokio::sync::oneshot;

/// About how many rows are committed together.
const ROWS_TOGETHER: usize = 100_000;

/// What a push hears; all that were committed together share an error.
type Answer = Result<Appended, Arc<Error>>;

/// The queues of all views.
#[derive(Debug, Default)]
pub(super) struct Queues(Mutex<HashMap<ViewName, Arc<Queue>>>);

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<VecDeque<Waiting>>,
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Waiting {
    schema: TableSchema,
    push: Push,
    answer: oneshot::Sender<Answer>,
}

impl Queues {
    /// Adds the rows of `push` to the table of `schema`'s view, together with others that wait.
    ///
    /// Must not be given up half-way: others may wait for what it does.
    pub(super) async fn append(
        &self,
        offline: &OfflineStore,
        schema: &TableSchema,
        push: Push,
    ) -> Answer {
        let queue = self.of(schema.view());
        let (answer, mut answered) = oneshot::channel();
        queue.wait(Waiting {
            schema: schema.clone(),
            push,
            answer,
        });
        let _turn = queue.turn.lock().await;
        loop {
            if let Ok(answer) = answered.try_recv() {
                return answer;
            }
            queue.commit(offline).await;
        }
    }

    fn of(&self, view: &ViewName) -> Arc<Queue> {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(queues.entry(view.clone()).or_default())
    }
}

impl Queue {
    fn wait(&self, waiting: Waiting) {
        let mut queue = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        queue.push_back(waiting);
    }

    /// The first that wait, as far as they are of one definition of the view.
    fn take(&self) -> Vec<Waiting> {
        let mut queue = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut taken, mut rows): (Vec<Waiting>, usize) = (Vec::new(), 0);
        while rows < ROWS_TOGETHER
            && let Some(next) = queue.front()
            && taken
                .first()
                .is_none_or(|first| first.schema == next.schema)
        {
            rows += next.push.rows.num_rows();
            taken.extend(queue.pop_front());
        }
        taken
    }

    async fn commit(&self, offline: &OfflineStore) {
        let (mut pushes, mut answers) = (Vec::new(), Vec::new());
        let mut schema = None;
        for waiting in self.take() {
            pushes.push(waiting.push);
            answers.push(waiting.answer);
            schema = Some(waiting.schema);
        }
        let Some(schema) = schema else { return };
        match offline.append(&schema, &pushes).await {
            Ok(appended) => {
                for (answer, appended) in answers.into_iter().zip(appended) {
                    // Nobody listens where a runtime is being shut down.
                    answer.send(Ok(appended)).ok();
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                for answer in answers {
                    answer.send(Err(Arc::clone(&error))).ok();
                }
            }
        }
    }
}
