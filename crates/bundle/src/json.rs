//! Untrusted JSON.

use serde::de::DeserializeOwned;

/// Deepest nesting of brackets. Ours is below ten.
const MAX_DEPTH: usize = 32;

/// Checks that brackets are not nested too deep, without recursion.
pub fn check_depth(bytes: &[u8]) -> Result<(), String> {
    let (mut depth, mut in_text, mut escaped) = (0usize, false, false);
    for &byte in bytes {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(format!("its JSON is nested more than {MAX_DEPTH} deep"));
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// About how much memory the values of this JSON take: what is left of `[0,0,0]` when it is parsed is sixteen times as large.
pub fn memory(bytes: &[u8]) -> u64 {
    let values = bytes.iter().filter(|byte| **byte == b',').count() as u64;
    values * size_of::<serde_json::Value>() as u64
}

/// Reads JSON that is not nested too deep.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    check_depth(bytes)?;
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_json_is_refused_and_brackets_in_texts_are_not_counted() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse::<serde_json::Value>(nested(32).as_bytes()).is_ok());
        for depth in [33, 100, 1_000_000] {
            let error = parse::<serde_json::Value>(nested(depth).as_bytes()).unwrap_err();
            assert_eq!(error, "its JSON is nested more than 32 deep");
        }
        let text = format!("\"\\\"{}\\\\\"", "[".repeat(100));
        assert!(parse::<serde_json::Value>(text.as_bytes()).is_ok());
    }
}
