//! What a mistyped word was probably meant to be.

/// A mistyped word is taken for the known one that is at most this many edits away.
const NEAR: usize = 2;

/// The known words that are the nearest to this one, if they are near: several, if they are equally so.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let edits = |known: &'a str| (strsim::levenshtein(known, word), known);
    // As many edits as a short word has letters make it of any other.
    let is_near = |(edits, known): &(usize, &str)| *edits <= NEAR && *edits < known.len();
    let near: Vec<_> = known.into_iter().map(edits).filter(is_near).collect();
    let fewest = near.iter().map(|(edits, _)| *edits).min();
    near.into_iter().filter(|(edits, _)| Some(*edits) == fewest).map(|(_, known)| known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_edits_are_near_and_three_are_not() {
        let known = ["port", "ports", "seeds", "CF"];
        assert_eq!(nearest("port", known), ["port"]);
        assert_eq!(nearest("portz", known), ["port", "ports"]);
        assert_eq!(nearest("sds", known), ["seeds"]);
        assert_eq!(nearest("sd", known), [""; 0]);
        assert_eq!(nearest("", known), [""; 0]);
        assert_eq!(nearest("F", known), ["CF"]);
    }
}
