//! Contents of posts.

/// The content of a post: `bytes` bytes of text drawn from the key, so that nothing on the way can compress it away
/// and the same post is the same everywhere.
///
/// The letters are those of base64's URL alphabet: the content is text where a storage wants text (redis).
pub(crate) fn content(key: &str, bytes: u64) -> Vec<u8> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let length = usize::try_from(bytes).unwrap_or(usize::MAX);
    // FNV-1a of the key seeds SplitMix64 (Steele, Lea and Flood, 2014).
    let mut state = key
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mut content = Vec::with_capacity(length.next_multiple_of(8));
    while content.len() < length {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^= word >> 31;
        content.extend(word.to_le_bytes().map(|byte| LETTERS[usize::from(byte & 63)]));
    }
    content.truncate(length);
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_are_text_of_the_length_and_of_the_key() {
        for length in [0, 1, 7, 8, 350_000] {
            let text = content("17QX4ZD0PA", length);
            assert_eq!(text.len() as u64, length);
            assert!(text.iter().all(u8::is_ascii));
            assert_eq!(text, content("17QX4ZD0PA", length));
        }
        assert_ne!(content("17QX4ZD0PA", 64), content("18QX4ZD0PA", 64));
    }
}
