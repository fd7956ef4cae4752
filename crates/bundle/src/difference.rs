//! Where two files differ, in words.

/// Most characters of each file that are shown.
const SHOWN: usize = 40;

/// Where a file that is there first differs from the one that should be there: the line, the column in bytes, and what stands
/// at either place.
#[must_use]
pub fn difference(found: &[u8], expected: &[u8]) -> String {
    let same = found.iter().zip(expected).take_while(|(one, other)| one == other).count();
    let (before, _) = found.split_at(same);
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    let start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    let column = same - start + 1;
    let shown = |bytes: &[u8]| match bytes.get(same..).unwrap_or_default() {
        [] => "nothing".to_owned(),
        rest => {
            let rest = rest.split(|&byte| byte == b'\n').next().unwrap_or_default();
            let rest = rest.get(..4 * SHOWN).unwrap_or(rest);
            let text = String::from_utf8_lossy(rest);
            let mut shown = String::new();
            for letter in text.chars().take(SHOWN) {
                if letter.is_control() {
                    shown.extend(letter.escape_debug());
                } else {
                    shown.push(letter);
                }
            }
            format!("`{shown}`")
        }
    };
    format!("line {line}, column {column}: {} stands where {} should", shown(found), shown(expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_told() {
        let told = |found: &str, expected: &str| difference(found.as_bytes(), expected.as_bytes());
        assert_eq!(told("a,b\n1,2\n", "a,b\n1,3\n"), "line 2, column 3: `2` stands where `3` should");
        assert_eq!(told("a\n", "a\nb\n"), "line 2, column 1: nothing stands where `b` should");
        assert_eq!(told("a\nb", "a\n"), "line 2, column 1: `b` stands where nothing should");
        assert_eq!(told("a", "a\n"), "line 1, column 2: nothing stands where `` should");
        assert_eq!(told("\u{7}x", "yx"), "line 1, column 1: `\\u{7}x` stands where `yx` should");
        assert_eq!(difference(b"\xff", b"a"), "line 1, column 1: `\u{fffd}` stands where `a` should");
        let long = "x".repeat(1000);
        assert!(told(&long, "").len() < 100);
    }
}
