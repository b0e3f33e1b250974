//! Files with the members of an ensemble.

use super::networks::Candidate;

/// What the user should know of a file whose networks differ in a number alone: `models.0`, `models.1`; none: it is no
/// such file.
pub fn notice(found: &[Candidate]) -> Option<String> {
    let [used, others @ ..] = found else { return None };
    let members: Vec<&Candidate> =
        others.iter().filter(|other| differ_in_number(&used.prefix, &other.prefix)).collect();
    let next = members.first()?;
    let count = members.len() + 1;
    Some(format!(
        "warning: the file holds an ensemble of {count} networks, which Basin does not build (it would need the mean of \
         their probabilities): {} alone is used; --assume weights={} takes another one",
        used.name, next.name
    ))
}

/// Whether two prefixes are the same but for one number, `models.0.` and `models.1.`, `branch1.` and `branch2.`.
fn differ_in_number(one: &str, other: &str) -> bool {
    let (one, other): (Vec<&str>, Vec<&str>) = (one.split('.').collect(), other.split('.').collect());
    if one.len() != other.len() {
        return false;
    }
    let different: Vec<(&str, &str)> = one.into_iter().zip(other).filter(|(a, b)| a != b).collect();
    let &[(one, other)] = different.as_slice() else { return false };
    let word = |part: &str| part.trim_end_matches(|letter: char| letter.is_ascii_digit()).to_owned();
    let is_numbered = |part: &str| part.ends_with(|letter: char| letter.is_ascii_digit());
    is_numbered(one) && is_numbered(other) && word(one) == word(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_differ_in_one_number() {
        for (one, other) in [
            ("models.0.", "models.5."),
            ("branch1.", "branch2."),
            ("0.", "1."),
            ("state_dict.m1.net.", "state_dict.m2.net."),
        ] {
            assert!(differ_in_number(one, other), "{one} {other}");
        }
        for (one, other) in
            [("model.", "ema."), ("a.0.b.0.", "a.1.b.1."), ("net.", "net2."), ("", "0."), ("best.", "last.")]
        {
            assert!(!differ_in_number(one, other), "{one} {other}");
        }
    }
}
