//! What people write about Amazon's services.

use matrix_aws::ConnectionInfo;
use matrix_aws::cost::Prices;

/// A file of endpoints: one that was read is written so that it is read as the same, and faults have lines that exist.
pub fn connection(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let last = lines(text);
    match ConnectionInfo::parse(text) {
        Ok(info) => {
            let written = info.to_yaml();
            let again = ConnectionInfo::parse(&written);
            assert!(again.is_ok_and(|again| again == info), "it is not read again:\n{written}");
        }
        Err(problems) => {
            assert!(!problems.is_empty(), "it is refused without a word");
            for problem in problems {
                assert!(problem.line.is_none_or(|line| (1..=last).contains(&line)), "{problem} of {last} lines");
            }
        }
    }
}

/// How many lines a text has to YAML, for which a carriage return ends one too, alone or before a line feed (YAML 1.2.2,
/// section 5.4).
fn lines(text: &str) -> u64 {
    text.replace("\r\n", "\n").matches(['\n', '\r']).count() as u64 + 1
}

/// A file of prices: what is refused says why.
pub fn prices(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Prices::parse(text) {
        Ok(prices) => assert!(!prices.date().is_empty()),
        Err(problems) => assert!(!problems.to_string().is_empty()),
    }
}
