//! "Did you mean".

/// The candidate nearest to `wanted`, if one is near enough to be a slip of the pen.
///
/// Near means an edit distance (with transpositions) of at most a third of the longer text, and at
/// least 1; letter case is ignored.
///
/// ```
/// use fs_core::suggest::did_you_mean;
/// assert_eq!(did_you_mean("wind_sped", ["temp", "wind_speed"]), Some("wind_speed"));
/// assert_eq!(did_you_mean("altitude", ["temp", "wind_speed"]), None);
/// ```
pub fn did_you_mean<'a>(
    wanted: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let wanted = wanted.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, candidate)| *distance <= (wanted.len().max(candidate.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `; did you mean `x`?`, or nothing: the tail of an error message.
pub fn hint(nearest: Option<&str>) -> String {
    nearest
        .map(|name| format!("; did you mean `{name}`?"))
        .unwrap_or_default()
}
