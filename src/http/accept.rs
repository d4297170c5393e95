//! Which of several forms of an answer an `Accept` header asks for.

/// The first of `forms` that the header names, whatever its weight; none where it names none of them.
pub fn first_of<'a>(accept: &str, forms: &[&'a str]) -> Option<&'a str> {
    let named = accept.split(',').map(|range| range.split(';').next().unwrap_or_default().trim());
    named.filter_map(|range| forms.iter().find(|form| range.eq_ignore_ascii_case(form))).next().copied()
}

#[cfg(test)]
mod tests {
    use super::first_of;

    #[test]
    fn the_form_that_is_named_first_is_chosen() {
        let forms = ["text/csv", "application/json", "*/*"];
        assert_eq!(first_of("text/csv", &forms), Some("text/csv"));
        assert_eq!(first_of("image/png, Text/CSV;q=0.1, application/json", &forms), Some("text/csv"));
        assert_eq!(first_of("*/*, text/csv", &forms), Some("*/*"));
        assert_eq!(first_of("", &forms), None);
        assert_eq!(first_of("text/csvx", &forms), None);
    }
}
