use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::lines::MOST_OPEN;
use super::*;
use crate::run::Run;

/// When an event happened, and what.
type Happened = (u8, Event);

fn at(second: u8) -> String {
    format!("2026-11-22T13:00:{second:02}Z")
}

fn created() -> Event {
    Event::Created { files: BTreeMap::from([("plan.json".to_owned(), Digest::of(b"{}"))]) }
}

fn event() -> impl Strategy<Value = Event> {
    (0..8u8, 0..3u8).prop_map(|(kind, number)| {
        let cell: CellKey = format!("{number:02x}").repeat(32).parse().unwrap();
        let attempt: AttemptId = format!("20261122T130000Z-{}-1", cell.short()).parse().unwrap();
        match kind {
            0 => Event::Resumed,
            1 => Event::Finished,
            2 => Event::Interrupted,
            3 => Event::Failed { attempt, cell, error: "broke".to_owned() },
            4 => Event::Partial { attempt, cell },
            5 | 6 => Event::Started { attempt, cell },
            _ => Event::Done { attempt, cell },
        }
    })
}

/// The journals of a run's runners: in few seconds, so that many times are the same, and by clocks that go back.
fn journals() -> impl Strategy<Value = Vec<Vec<Happened>>> {
    let journal = (0..6u8, prop::collection::vec((0..6u8, event()), 0..8)).prop_map(|(second, lines)| {
        let mut journal = vec![(second, created())];
        journal.extend(lines);
        journal
    });
    prop::collection::vec(journal, 1..5)
}

/// Which line comes next is looked for among all journals.
fn united(journals: &[Vec<Happened>]) -> Vec<JournalEntry> {
    let mut rest: Vec<&[Happened]> = journals.iter().map(Vec::as_slice).collect();
    let mut united = Vec::new();
    while let Some(next) = rest.iter_mut().filter(|rest| !rest.is_empty()).min_by_key(|rest| rest[0].0) {
        let (second, event) = &next[0];
        if united.is_empty() || *event != created() {
            united.push(JournalEntry { at: at(*second), event: event.clone() });
        }
        *next = &next[1..];
    }
    united
}

fn text(journal: &[Happened]) -> String {
    let mut end = End::default();
    journal.iter().map(|(second, event)| end.next_line(event, at(*second)).unwrap()).collect()
}

/// Writes these journals into a folder, each with an incomplete last line, and opens them as those of a run. The lines that were given meanwhile.
fn open(folder: &Path, journals: &[Vec<Happened>]) -> (Run, Vec<JournalEntry>) {
    for (number, journal) in journals.iter().enumerate() {
        let name = if number == 0 { "journal.jsonl".to_owned() } else { format!("journal-{number:03}.jsonl") };
        fs::write(folder.join(name), text(journal) + "{\"at\"").unwrap();
    }
    let mut entries = Vec::new();
    let id = "20261122T130000Z-test".parse().unwrap();
    let run = Run::open(id, folder.to_owned(), |entry| entries.push(entry.clone())).unwrap();
    (run, entries)
}

fn again(run: &Run) -> Result<Vec<JournalEntry>, StoreError> {
    let mut entries = Vec::new();
    run.each_entry(|entry| {
        entries.push(entry.clone());
        Ok::<_, StoreError>(())
    })?;
    Ok(entries)
}

fn written(run: &Run) -> Result<Vec<u8>, StoreError> {
    let mut text = Vec::new();
    run.write_journal(&mut text).map(|()| text)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_reading_of_a_run_gives_the_same_lines_in_order_of_time(journals in journals()) {
        let folder = tempfile::tempdir().unwrap();
        let (run, entries) = open(folder.path(), &journals);
        let expected = united(&journals);
        prop_assert_eq!(&entries, &expected);
        // Other runners cut off what was incomplete, and go on.
        let mut longer = journals.clone();
        longer.iter_mut().for_each(|journal| journal.push((7, Event::Interrupted)));
        let (_, more) = open(folder.path(), &longer);
        prop_assert_eq!(more.len(), expected.len() + journals.len());
        prop_assert_eq!(&again(&run).unwrap(), &expected);
        let bytes = written(&run).unwrap();
        let mut of_one_file = Vec::new();
        let summary =
            JournalSummary::read("it".as_ref(), bytes.as_slice(), |entry| of_one_file.push(entry.clone())).unwrap();
        prop_assert_eq!(&of_one_file, &expected);
        if let [only] = journals.as_slice() {
            prop_assert_eq!(bytes, text(only).into_bytes());
        }
        let torn_bytes = 5 * journals.len() as u64;
        prop_assert_eq!(run.journal(), &JournalSummary { torn_bytes, ..summary });
    }

    #[test]
    fn a_summary_is_what_all_lines_say(journals in journals()) {
        let folder = tempfile::tempdir().unwrap();
        let (run, entries) = open(folder.path(), &journals);
        let states: BTreeMap<_, _> = entries.iter().filter_map(|entry| entry.event.cell_state()).collect();
        let decides = |event: &&Event| matches!(event, Event::Finished | Event::Resumed | Event::Created { .. });
        let last = entries.iter().rev().map(|entry| &entry.event).find(decides);
        prop_assert_eq!(run.journal(), &JournalSummary {
            files: BTreeMap::from([("plan.json".to_owned(), Digest::of(b"{}"))]),
            first_at: entries.first().unwrap().at.clone(),
            last_at: entries.last().unwrap().at.clone(),
            lines: entries.len() as u64,
            torn_bytes: 5 * journals.len() as u64,
            is_finished: last == Some(&Event::Finished),
            is_interrupted: entries.last().unwrap().event == Event::Interrupted,
            undone: states.into_iter().filter(|(_, state)| *state != JournalState::Done).collect(),
        });
    }
}

#[test]
fn more_journals_than_may_be_open_at_once_are_read_in_pieces() {
    let folder = tempfile::tempdir().unwrap();
    let cell: CellKey = "ab".repeat(32).parse().unwrap();
    let attempt: AttemptId = "20261122T130000Z-abababababab-1".parse().unwrap();
    // Longer than a piece.
    let started = |line| (line, Event::Started { attempt: attempt.clone(), cell });
    let journals: Vec<Vec<Happened>> =
        (0..=MOST_OPEN).map(|_| [(0, created())].into_iter().chain((0..60).map(started)).collect()).collect();
    assert!(text(&journals[0]).len() > 10 << 10);
    let (run, entries) = open(folder.path(), &journals);
    assert_eq!(entries, united(&journals));
    assert_eq!(again(&run).unwrap(), entries);
}

#[test]
fn a_run_whose_journal_got_shorter_is_not_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let one = vec![vec![(0, created()), (1, Event::Resumed), (2, Event::Finished)]];
    let two = [one.clone(), one.clone()].concat();
    for journals in [one, two] {
        let (run, _) = open(folder.path(), &journals);
        fs::write(folder.path().join("journal.jsonl"), text(&journals[0][..2])).unwrap();
        let (read, written) = (again(&run).unwrap_err().to_string(), written(&run).unwrap_err().to_string());
        assert!(read.ends_with("lines are gone that were there when it was read before"), "{read}");
        assert_eq!(read, written);
    }
}
