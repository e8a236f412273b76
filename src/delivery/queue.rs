//! The lines before one provider: transactional messages first, promotional ones when there are none.

use crate::rules::Purpose;
use tokio::sync::{Mutex, mpsc};

/// The end where messages are put in.
#[derive(Debug)]
pub struct Entrance<T> {
    transactional: mpsc::Sender<T>,
    promotional: mpsc::Sender<T>,
}

/// The end where connections take them out.
#[derive(Debug)]
pub struct Exit<T> {
    lines: Mutex<Lines<T>>,
}

#[derive(Debug)]
struct Lines<T> {
    transactional: mpsc::Receiver<T>,
    promotional: mpsc::Receiver<T>,
}

/// Two lines that hold up to `capacity` messages each.
pub fn lines<T>(capacity: usize) -> (Entrance<T>, Exit<T>) {
    let (transactional, first) = mpsc::channel(capacity);
    let (promotional, second) = mpsc::channel(capacity);
    let lines = Lines { transactional: first, promotional: second };
    (Entrance { transactional, promotional }, Exit { lines: Mutex::new(lines) })
}

impl<T> Entrance<T> {
    const fn line(&self, purpose: Purpose) -> &mpsc::Sender<T> {
        match purpose {
            Purpose::Transactional => &self.transactional,
            Purpose::Promotional => &self.promotional,
        }
    }

    /// How many more messages fit into a line.
    pub fn room(&self, purpose: Purpose) -> usize {
        self.line(purpose).capacity()
    }

    /// Whether a line is more than half full: a claim costs the same however few messages it takes, so that it waits
    /// until it is worth its statements.
    pub fn is_full(&self, purpose: Purpose) -> bool {
        self.room(purpose) < self.enough(purpose)
    }

    /// Waits until a line is no longer full.
    pub async fn wait(&self, purpose: Purpose) {
        let _ = self.line(purpose).reserve_many(self.enough(purpose)).await;
    }

    fn enough(&self, purpose: Purpose) -> usize {
        self.line(purpose).max_capacity().div_ceil(2)
    }

    /// Puts a message in; waits where the line is full. Gives it back when nobody takes any more.
    pub async fn put(&self, purpose: Purpose, message: T) -> Result<(), T> {
        self.line(purpose).send(message).await.map_err(|refused| refused.0)
    }
}

impl<T> Exit<T> {
    /// Waits for a message and takes up to `most`; empty when no more will come.
    pub async fn take(&self, most: usize) -> Vec<T> {
        let mut lines = self.lines.lock().await;
        let Lines { transactional, promotional } = &mut *lines;
        let first = tokio::select! {
            biased;
            Some(message) = transactional.recv() => Some(message),
            Some(message) = promotional.recv() => Some(message),
            else => None,
        };
        let mut taken: Vec<T> = first.into_iter().collect();
        if !taken.is_empty() {
            lines.fill(&mut taken, most);
        }
        taken
    }

    /// Takes up to `most` messages that are there already.
    pub fn take_now(&self, most: usize) -> Vec<T> {
        let mut taken = Vec::new();
        // Another connection that holds the lines is waiting at them: there is nothing to take.
        if let Ok(mut lines) = self.lines.try_lock() {
            lines.fill(&mut taken, most);
        }
        taken
    }
}

impl<T> Lines<T> {
    fn fill(&mut self, taken: &mut Vec<T>, most: usize) {
        while taken.len() < most {
            match self.transactional.try_recv().or_else(|_| self.promotional.try_recv()) {
                Ok(message) => taken.push(message),
                Err(_) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn transactional_messages_go_first() {
        let (entrance, exit) = lines(10);
        for number in 0..3 {
            entrance.put(Purpose::Promotional, ("treat", number)).await.expect("room");
        }
        entrance.put(Purpose::Transactional, ("parcel", 0)).await.expect("room");
        assert_eq!(exit.take(2).await, [("parcel", 0), ("treat", 0)]);
        assert_eq!(exit.take_now(5), [("treat", 1), ("treat", 2)]);
        assert_eq!(entrance.room(Purpose::Promotional), 10);
        for number in 0..6 {
            assert!(!entrance.is_full(Purpose::Promotional), "{number} of 10");
            entrance.put(Purpose::Promotional, ("treat", number)).await.expect("room");
        }
        assert!(entrance.is_full(Purpose::Promotional) && !entrance.is_full(Purpose::Transactional));
        assert_eq!(exit.take_now(6).len(), 6);
        drop(entrance);
        assert!(exit.take(1).await.is_empty());
    }
}
