//! What waits to be fetched, first in, first out.

/// A queue that is filled, then emptied, over and over.
///
/// It does not wrap around as the standard library's does, which would cost the module a kilobyte: what was taken keeps
/// its room until all is taken.
#[derive(Clone, Debug)]
pub struct Queue<T> {
    items: Vec<T>,
    taken: usize,
}

impl<T> Default for Queue<T> {
    fn default() -> Queue<T> {
        Queue::new()
    }
}

impl<T> Queue<T> {
    /// Nothing waits.
    #[must_use]
    pub const fn new() -> Queue<T> {
        Queue { items: Vec::new(), taken: 0 }
    }

    /// Puts one behind all others.
    pub fn push_back(&mut self, item: T) {
        self.items.push(item);
    }

    /// Takes the first one out that is meant, where it still waits. Whether it did.
    pub fn take_back(&mut self, is_meant: impl Fn(&T) -> bool) -> bool {
        let found = (self.taken..self.items.len()).find(|&at| is_meant(&self.items[at]));
        if let Some(at) = found {
            self.items.remove(at);
        }
        found.is_some()
    }
}

impl<T: Copy> Queue<T> {
    /// Takes the one that has waited for longest.
    pub fn pop_front(&mut self) -> Option<T> {
        let item = *self.items.get(self.taken)?;
        self.taken += 1;
        if self.taken == self.items.len() {
            self.items.clear();
            self.taken = 0;
        }
        Some(item)
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::Queue;

    #[test]
    fn what_came_first_is_taken_first_however_pushes_and_takes_mix() {
        let mut queue = Queue::new();
        let mut taken = Vec::new();
        for round in 0..10 {
            (0..7).for_each(|item| queue.push_back(round * 7 + item));
            taken.extend((0..5).filter_map(|_| queue.pop_front()));
        }
        while let Some(item) = queue.pop_front() {
            taken.push(item);
        }
        assert_eq!(taken, (0..70).collect::<Vec<i32>>());
        assert_eq!(queue.pop_front(), None);
    }

    #[test]
    fn one_that_still_waits_is_taken_out_and_one_that_was_taken_is_not() {
        let mut queue = Queue::new();
        [1, 2, 3].into_iter().for_each(|item| queue.push_back(item));
        assert_eq!(queue.pop_front(), Some(1));
        assert!(!queue.take_back(|item| *item == 1));
        assert!(queue.take_back(|item| *item == 3));
        assert_eq!([queue.pop_front(), queue.pop_front()], [Some(2), None]);
    }
}
