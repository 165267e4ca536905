//! Which tables a query selects from, as far as its words tell.
//!
//! A tokenizer, not a parser: enough to find cycles between SQL sources, to draw lineage and to tell what
//! is no condition, without a query engine. The engine has the last word on what a query means.

mod predicate;

use std::collections::BTreeSet;

pub use predicate::{PredicateError, check_predicate};

/// The tables that `query` names after `FROM`, `JOIN` or a comma between them, in lower case.
///
/// Of `schema.table` it is the last part. Left out are strings, comments, table functions and the
/// names that `WITH` gives.
///
/// ```
/// use fs_spec::sql::tables;
/// let names = tables("SELECT a FROM x, \"Y\" WHERE b IN (SELECT c FROM z) -- FROM w");
/// assert!(names.iter().eq(["x", "y", "z"]));
/// ```
pub fn tables(query: &str) -> BTreeSet<String> {
    let tokens = tokenize(query);
    let ctes = common_table_expressions(&tokens);
    let named_by_with = |name: &str, at: usize| {
        ctes.iter()
            .any(|cte| cte.name == name && at > cte.visible_from)
    };
    table_positions(&tokens)
        .into_iter()
        .filter_map(|at| match &tokens[at] {
            Token::Word(name) | Token::Quoted(name) => Some((at, name.to_lowercase())),
            _ => None,
        })
        .filter(|(at, name)| !named_by_with(name, *at))
        .map(|(_, name)| name)
        .collect()
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A keyword or an identifier without quotes.
    Word(String),
    /// An identifier in `"` or a backquote.
    Quoted(String),
    /// `(`, `)`, `,`, `.`, `;` and every other sign.
    Sign(char),
    /// A string or a number.
    Literal,
    /// The start of a string, a name or a comment that does not end.
    Unclosed(&'static str),
}

impl Token {
    fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    fn is_any(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.is(keyword))
    }

    const fn is_name(&self) -> bool {
        matches!(self, Self::Word(_) | Self::Quoted(_))
    }
}

fn tokenize(query: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = query;
    while let Some(c) = rest.chars().next() {
        if c.is_whitespace() {
            rest = rest.trim_start();
        } else if rest.starts_with("--") {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            let end = comment.split_once("*/");
            if end.is_none() {
                tokens.push(Token::Unclosed("/*"));
            }
            rest = end.map_or("", |(_, after)| after);
        } else if c == '\'' {
            let (_, end) = quoted(rest, c);
            tokens.push(end.map_or(Token::Unclosed("'"), |_| Token::Literal));
            rest = end.unwrap_or_default();
        } else if c == '"' || c == '`' {
            let sign = if c == '"' { "\"" } else { "`" };
            let (name, end) = quoted(rest, c);
            tokens.push(end.map_or(Token::Unclosed(sign), |_| Token::Quoted(name)));
            rest = end.unwrap_or_default();
        } else if c.is_alphanumeric() || c == '_' {
            let end = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$')
                .unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            tokens.push(if c.is_numeric() {
                Token::Literal
            } else {
                Token::Word(word.to_owned())
            });
            rest = after;
        } else {
            tokens.push(Token::Sign(c));
            rest = &rest[c.len_utf8()..];
        }
    }
    tokens
}

/// What stands between quotes (doubled ones inside stand for one), and what follows; `None` if they are
/// never closed.
fn quoted(text: &str, quote: char) -> (String, Option<&str>) {
    let mut inside = String::new();
    let mut rest = &text[quote.len_utf8()..];
    loop {
        let Some((part, after)) = rest.split_once(quote) else {
            inside.push_str(rest);
            return (inside, None);
        };
        inside.push_str(part);
        match after.strip_prefix(quote) {
            Some(after) => {
                inside.push(quote);
                rest = after;
            }
            None => return (inside, Some(after)),
        }
    }
}

struct CommonTable {
    name: String,
    /// The token after which the name stands for this expression.
    visible_from: usize,
}

/// `name AS (…)` and `name (columns) AS (…)`, which only `WITH` has.
fn common_table_expressions(tokens: &[Token]) -> Vec<CommonTable> {
    let recursive = tokens
        .windows(2)
        .any(|pair| pair[0].is("WITH") && pair[1].is("RECURSIVE"));
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        let (Token::Word(name) | Token::Quoted(name)) = &tokens[at] else {
            continue;
        };
        let mut next = at + 1;
        if tokens.get(next) == Some(&Token::Sign('(')) {
            next = closing(tokens, next) + 1;
        }
        if !tokens.get(next).is_some_and(|token| token.is("AS")) {
            continue;
        }
        next += 1;
        while tokens
            .get(next)
            .is_some_and(|token| token.is_any(&["NOT", "MATERIALIZED"]))
        {
            next += 1;
        }
        if tokens.get(next) == Some(&Token::Sign('(')) {
            found.push(CommonTable {
                name: name.to_lowercase(),
                visible_from: if recursive { at } else { closing(tokens, next) },
            });
        }
    }
    found
}

/// The token that closes the parenthesis at `open`.
fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => {
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

/// What is known inside one pair of parentheses.
#[derive(Clone, Copy)]
struct Level {
    /// Whether it holds a query or tables, so that `FROM` is the clause and not a part of
    /// `EXTRACT(day FROM t)`.
    query: bool,
    /// Whether a comma separates tables here.
    in_from: bool,
}

const ENDS_FROM: [&str; 12] = [
    "WHERE",
    "GROUP",
    "HAVING",
    "ORDER",
    "LIMIT",
    "OFFSET",
    "WINDOW",
    "QUALIFY",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "SELECT",
];

/// Where in `tokens` a table is named.
fn table_positions(tokens: &[Token]) -> Vec<usize> {
    let mut found = Vec::new();
    let outermost = Level {
        query: true,
        in_from: false,
    };
    let mut levels = vec![outermost];
    let mut table_next = false;
    let mut at = 0;
    while at < tokens.len() {
        let token = &tokens[at];
        let level = levels.last().copied().unwrap_or(outermost);
        if *token == Token::Sign('(') {
            let next = tokens.get(at + 1);
            let query = next.is_some_and(|token| token.is_any(&["SELECT", "WITH", "FROM"]));
            levels.push(Level {
                query: query || table_next,
                in_from: table_next,
            });
        } else if *token == Token::Sign(')') {
            levels.pop();
            table_next = false;
        } else if *token == Token::Sign(',') {
            table_next = level.in_from;
        } else if token.is("FROM") {
            // `IS DISTINCT FROM` compares.
            let compares = at > 0 && tokens[at - 1].is("DISTINCT");
            if level.query && !compares {
                set_in_from(&mut levels, true);
                table_next = true;
            }
        } else if token.is("JOIN") {
            table_next = true;
        } else if token.is_any(&ENDS_FROM) {
            set_in_from(&mut levels, false);
            table_next = false;
        } else if table_next && token.is_name() && !token.is_any(&["LATERAL", "ONLY"]) {
            while tokens.get(at + 1) == Some(&Token::Sign('.'))
                && tokens.get(at + 2).is_some_and(Token::is_name)
            {
                at += 2;
            }
            if tokens.get(at + 1) != Some(&Token::Sign('(')) {
                found.push(at);
            }
            table_next = false;
        }
        at += 1;
    }
    found
}

fn set_in_from(levels: &mut [Level], in_from: bool) {
    if let Some(level) = levels.last_mut() {
        level.in_from = in_from;
        level.query = true;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(query: &str) -> Vec<String> {
        tables(query).into_iter().collect()
    }

    #[test]
    fn tables_stand_after_from_join_and_commas() {
        assert_eq!(found("select * from a"), ["a"]);
        assert_eq!(
            found("SELECT x, y FROM a JOIN b ON a.k = b.k, c AS d LEFT JOIN s.e USING (k)"),
            ["a", "b", "c", "e"]
        );
        assert_eq!(found("SELECT 1 FROM (a CROSS JOIN b), c"), ["a", "b", "c"]);
        assert_eq!(
            found("SELECT 1 FROM a UNION ALL SELECT 2 FROM b"),
            ["a", "b"]
        );
    }

    #[test]
    fn subqueries_are_looked_into() {
        let query =
            "SELECT (SELECT max(t) FROM a) FROM (SELECT * FROM b) q WHERE EXISTS (SELECT 1 FROM c)";
        assert_eq!(found(query), ["a", "b", "c"]);
    }

    #[test]
    fn columns_functions_strings_and_comments_are_no_tables() {
        assert_eq!(found("SELECT a, b FROM c ORDER BY d, e"), ["c"]);
        assert_eq!(found("SELECT EXTRACT(day FROM a), f(x, b) FROM c"), ["c"]);
        assert_eq!(found("SELECT a IS DISTINCT FROM b FROM c"), ["c"]);
        assert_eq!(
            found("SELECT 'it''s FROM a' /* FROM b */ FROM c -- , d"),
            ["c"]
        );
        assert_eq!(found("SELECT 1 FROM generate_series(1, 2), c"), ["c"]);
    }

    #[test]
    fn a_name_in_quotes_is_a_name_whatever_it_holds() {
        assert_eq!(found("SELECT \"from\" FROM \"a b\", `c`"), ["a b", "c"]);
    }

    #[test]
    fn a_name_that_with_gives_is_no_table_except_inside_itself() {
        assert_eq!(found("WITH a AS (SELECT * FROM b) SELECT * FROM a"), ["b"]);
        assert_eq!(found("WITH a AS (SELECT * FROM a) SELECT * FROM a"), ["a"]);
        let query =
            "WITH RECURSIVE a (n) AS (SELECT 1 UNION ALL SELECT n FROM a) SELECT * FROM a, b";
        assert_eq!(found(query), ["b"]);
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(query in "[\\PC\n]{0,80}", sql in "(from|join|with|as|select|a|\"|'|\\(|\\)|,|\\.|--|/\\*| ){0,40}") {
            tables(&query);
            tables(&sql);
        }
    }
}
