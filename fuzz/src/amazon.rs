//! What people write about Amazon's services.

use matrix_aws::ConnectionInfo;
use matrix_aws::cost::Prices;

/// A file of endpoints: one that was read is written so that it is read as the same, and faults have lines that exist.
pub fn connection(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let lines = text.lines().count() as u64 + 1;
    match ConnectionInfo::parse(text) {
        Ok(info) => {
            let written = info.to_yaml();
            let again = ConnectionInfo::parse(&written);
            assert!(again.is_ok_and(|again| again == info), "it is not read again:\n{written}");
        }
        Err(problems) => {
            assert!(!problems.is_empty(), "it is refused without a word");
            for problem in problems {
                assert!(problem.line.is_none_or(|line| (1..=lines).contains(&line)), "{problem} of {lines} lines");
            }
        }
    }
}

/// A file of prices: what is refused says why.
pub fn prices(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Prices::parse(text) {
        Ok(prices) => assert!(!prices.date().is_empty()),
        Err(problems) => assert!(!problems.to_string().is_empty()),
    }
}
