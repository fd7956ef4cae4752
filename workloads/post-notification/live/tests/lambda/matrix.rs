//! Every combination of storages, with antipode off and on.

use std::time::Instant;

use matrix_app::Outcome;
use matrix_plan::{NotificationStorage, PostStorage};

use crate::bed::Bed;
use crate::lab::{attempt, cell, driver, inputs, settings};

#[test]
fn every_combination_gives_its_rows_and_antipode_prevents_every_miss() {
    let bed = Bed::shared();
    let driver = driver(&bed, settings("matrix"));
    let mut missed = 0;
    for post in PostStorage::ALL {
        for notification in NotificationStorage::ALL {
            for antipode in [false, true] {
                let cell = cell(inputs(*post, *notification, antipode));
                let began = Instant::now();
                let (rows, told) = attempt(&driver, &cell);
                println!("{}: {:?}, {} misses, {told:?}", cell.axes(), began.elapsed(), rows.misses());
                assert_eq!(rows.count(Outcome::Ok), 8, "{:?}", rows.0);
                assert!(told.clock_bound_us.is_some_and(|bound| bound > 0), "{told:?}");
                assert_eq!((told.notes["strays"], told.notes["throttled"]), (0, 0), "{told:?}");
                for row in rows.0.values() {
                    let at = |time: Option<i64>| time.unwrap_or_else(|| panic!("{row:?}"));
                    assert!(at(row.client_sent_us) >= 0 && at(row.reply_us) > at(row.client_sent_us), "{row:?}");
                    assert!(at(row.writer_start_us) <= at(row.post_written_us), "{row:?}");
                    assert!(at(row.post_written_us) <= at(row.notification_written_us), "{row:?}");
                    assert!(at(row.reader_received_us) <= at(row.post_read_us), "{row:?}");
                    assert!(row.post_bytes.is_some_and(|bytes| bytes >= 20_000), "{row:?}");
                    assert!(row.lineage_bytes > Some(0) || !antipode, "{row:?}");
                    assert_eq!(row.barrier_polls.is_some(), antipode, "{row:?}");
                    if antipode {
                        assert_eq!(row.consistent_read, Some(true), "{row:?}");
                    }
                    // Where lag is configured it is known when a post became visible: a miss is a read that began before
                    // that, and a read that found the post ended after it. What happened in between only the server knows.
                    let lag_is_configured = matches!(post, PostStorage::Dynamo | PostStorage::S3);
                    assert_eq!(row.post_visible_us.is_some(), lag_is_configured, "{row:?}");
                    if lag_is_configured {
                        let visible = at(row.post_visible_us);
                        match row.consistent_read {
                            Some(true) => assert!(at(row.post_read_us) >= visible, "{row:?}"),
                            _ => assert!(at(row.read_start_us) < visible, "{row:?}"),
                        }
                    }
                }
                missed += rows.misses();
            }
        }
    }
    // SNS delivers within milliseconds, DynamoDB and S3 are configured to lag 200 and 300.
    assert!(missed > 0);

    // Cells that share no resource run at the same time.
    std::thread::scope(|threads| {
        for post in [PostStorage::Mysql, PostStorage::S3] {
            let driver = &driver;
            threads.spawn(move || {
                let (rows, told) = attempt(driver, &cell(inputs(post, NotificationStorage::Sns, true)));
                assert_eq!((rows.count(Outcome::Ok), told.notes["strays"]), (8, 0), "{:?}", rows.0);
            });
        }
    });
}
