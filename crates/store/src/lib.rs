//! The content-addressed store: objects, records, attempts, runs and their journal.
