//! Which cell comes next: the plan's order, but two cells that need the same thing do not run at the same time.

use std::collections::{BTreeSet, VecDeque};

/// The cells still to run.
#[derive(Debug)]
pub(crate) struct Schedule {
    waiting: VecDeque<(usize, Vec<String>)>,
    busy: BTreeSet<String>,
}

/// What a worker should do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Run this cell.
    Cell(usize),
    /// Wait until another worker is done: every cell left needs something that is in use.
    Wait,
    /// Nothing is left.
    Nothing,
}

impl Schedule {
    /// The schedule of cells in their order, each with the names of what it needs for itself.
    pub(crate) fn new(cells: impl IntoIterator<Item = (usize, Vec<String>)>) -> Self {
        Self { waiting: cells.into_iter().collect(), busy: BTreeSet::new() }
    }

    /// Adds a cell.
    pub(crate) fn add(&mut self, cell: usize, needs: Vec<String>) {
        self.waiting.push_back((cell, needs));
    }

    /// Takes the first cell whose needs are free.
    pub(crate) fn next(&mut self) -> Next {
        if self.waiting.is_empty() {
            return Next::Nothing;
        }
        let free = self.waiting.iter().position(|(_, needs)| needs.iter().all(|need| !self.busy.contains(need)));
        match free.and_then(|place| self.waiting.remove(place)) {
            Some((cell, needs)) => {
                self.busy.extend(needs);
                Next::Cell(cell)
            }
            None => Next::Wait,
        }
    }

    /// Gives back what a cell needed.
    pub(crate) fn release(&mut self, needs: &[String]) {
        for need in needs {
            self.busy.remove(need);
        }
    }

    /// Forgets the cells still waiting.
    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(name: &str) -> Vec<String> {
        vec![name.to_owned()]
    }

    #[test]
    fn cells_that_share_something_take_turns_and_the_others_pass() {
        let mut schedule = Schedule::new([(0, needs("a")), (1, needs("a")), (2, needs("b")), (3, vec![])]);
        assert_eq!(schedule.next(), Next::Cell(0));
        assert_eq!(schedule.next(), Next::Cell(2));
        assert_eq!(schedule.next(), Next::Cell(3));
        assert_eq!(schedule.next(), Next::Wait);
        schedule.release(&needs("a"));
        assert_eq!(schedule.next(), Next::Cell(1));
        assert_eq!(schedule.next(), Next::Nothing);
    }
}
