//! Texts that are no condition, whatever the columns are.

use super::{Token, tokenize};

/// Why a text is no condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PredicateError {
    /// A string, a name or a comment that does not end.
    #[error("this condition has a {quote} that is never closed")]
    Unclosed {
        /// What opens it.
        quote: &'static str,
    },
    /// Parentheses that do not pair.
    #[error("this condition has a `{sign}` without its other half")]
    Unbalanced {
        /// The parenthesis that is alone.
        sign: char,
    },
    /// A query or a statement.
    #[error("`{word}` belongs to a query, and this must be a condition such as `some_column >= 0`")]
    Query {
        /// The word that tells.
        word: String,
    },
    /// More than one condition.
    #[error("this must be one condition: `;` ends it")]
    Several,
    /// It stops where a value must follow.
    #[error("this condition stops after `{after}`, where a value must follow")]
    Incomplete {
        /// The last word or sign.
        after: String,
    },
    /// It starts with what must stand between two values.
    #[error("this condition starts with `{with}`, before which a value must stand")]
    Headless {
        /// The first word or sign.
        with: String,
    },
    /// Nothing but blanks and comments.
    #[error("this condition is empty")]
    Empty,
}

/// Words that only a query or a statement has.
const QUERY: [&str; 12] = [
    "SELECT", "FROM", "WHERE", "GROUP", "HAVING", "UNION", "JOIN", "INSERT", "UPDATE", "DELETE",
    "CREATE", "DROP",
];
/// Words and signs between two values.
const BETWEEN: [&str; 6] = ["AND", "OR", "LIKE", "ILIKE", "BETWEEN", "IN"];
const SIGNS: &str = "=<>*/%|&,";

/// Refuses what is no condition, as far as words and signs tell.
///
/// | Text | |
/// |---|---|
/// | `wind_speed >= 0 AND kind IN ('rain', 'snow')` | fine |
/// | `(temp > 0` | `(` has no other half |
/// | `SELECT temp > 0` | a query |
/// | `temp >` | a value must follow |
///
/// Whether its columns are there, and whether it is true or false, the engine tells.
pub fn check_predicate(text: &str) -> Result<(), PredicateError> {
    let tokens = tokenize(text);
    let mut open = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Unclosed(quote) => return Err(PredicateError::Unclosed { quote }),
            Token::Sign('(') => open += 1,
            Token::Sign(')') => {
                let alone = PredicateError::Unbalanced { sign: ')' };
                open = open.checked_sub(1).ok_or(alone)?;
            }
            Token::Sign(';') => return Err(PredicateError::Several),
            // `IS DISTINCT FROM` compares, and a function may take `day FROM t`.
            Token::Word(_) if token.is("FROM") && (open > 0 || after_distinct(&tokens, at)) => {}
            Token::Word(word) if token.is_any(&QUERY) && !is_call(&tokens, at) => {
                return Err(PredicateError::Query { word: word.clone() });
            }
            _ => {}
        }
    }
    if open > 0 {
        return Err(PredicateError::Unbalanced { sign: '(' });
    }
    let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
        return Err(PredicateError::Empty);
    };
    if let Some(with) = operator(first) {
        return Err(PredicateError::Headless { with });
    }
    let dangles = |after: String| PredicateError::Incomplete { after };
    let last = operator(last).or_else(|| match last {
        Token::Word(word) if last.is("NOT") || last.is("IS") => Some(word.clone()),
        Token::Sign(sign @ ('+' | '-')) => Some(sign.to_string()),
        _ => None,
    });
    last.map_or(Ok(()), |after| Err(dangles(after)))
}

fn after_distinct(tokens: &[Token], at: usize) -> bool {
    at > 0 && tokens[at - 1].is("DISTINCT")
}

/// Whether the word at `at` is the name of a function.
fn is_call(tokens: &[Token], at: usize) -> bool {
    tokens.get(at + 1) == Some(&Token::Sign('('))
}

/// The text of a token that must stand between two values.
fn operator(token: &Token) -> Option<String> {
    match token {
        Token::Word(word) if token.is_any(&BETWEEN) => Some(word.clone()),
        Token::Sign(sign) if SIGNS.contains(*sign) => Some(sign.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn conditions_pass() {
        for text in [
            "wind_speed >= 0",
            "-temp < 3 AND (kind IN ('rain', 'it''s') OR NOT wet)",
            "wet",
            "temp IS NOT NULL -- always",
            "a IS DISTINCT FROM b",
            "extract(year FROM event_timestamp) > 2000",
            "\"from\" = 'select ;'",
        ] {
            assert_eq!(check_predicate(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_no_condition_is_told_from_its_words() {
        for (text, problem) in [
            ("kind = 'rain", "a ' that is never closed"),
            ("\"kind = 1", "a \" that is never closed"),
            ("a > 0 /* why", "a /* that is never closed"),
            ("(a > 0", "a `(` without its other half"),
            ("a > 0)", "a `)` without its other half"),
            ("SELECT a > 0", "`SELECT` belongs to a query"),
            ("where a > 0", "`where` belongs to a query"),
            ("a IN (SELECT b FROM c)", "`SELECT` belongs to a query"),
            ("a > 0; b > 0", "one condition"),
            ("a >", "stops after `>`"),
            ("a > 0 AND", "stops after `AND`"),
            ("= 3", "starts with `=`"),
            ("-- nothing", "is empty"),
        ] {
            let error = check_predicate(text).unwrap_err().to_string();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,60}", sql in "(a|and|not|select|from|\"|'|\\(|\\)|>|--|/\\*|;| ){0,30}") {
            check_predicate(&text).ok();
            check_predicate(&sql).ok();
        }
    }
}
