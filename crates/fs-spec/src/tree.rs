//! YAML as a small tree in which every key and every value knows its position.
//!
//! Built from parser events, without recursion, and bounded: a file may hold at most
//! [`MAX_FILE_BYTES`], [`MAX_NODES`] values (aliases counted as what they stand for) and
//! [`MAX_DEPTH`] levels. Anchors and aliases work; tags (`!!str`) and keys that are not text do not.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::position::{FileText, Position};
use crate::problem::{Problem, Sink};

/// Longest file, in bytes.
pub(crate) const MAX_FILE_BYTES: usize = 1 << 20;
/// Most values in a file.
pub(crate) const MAX_NODES: usize = 100_000;
/// Most levels of lists and maps.
pub(crate) const MAX_DEPTH: usize = 32;

/// A value and where it is written.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) at: Position,
}

/// A YAML value.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// `null`, `~`, or nothing at all.
    Null,
    /// Text, a number or a boolean: whoever reads it decides.
    Scalar(Scalar),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order in which it is written; no key twice.
    Map(Vec<Pair>),
    /// Something about which a problem is reported already.
    Broken,
}

/// A scalar that is not null.
#[derive(Debug, Clone)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    /// Whether it may be a boolean: written without quotes, or the outcome of interpolation.
    pub(crate) plain: bool,
}

/// A key and its value.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    pub(crate) key: String,
    pub(crate) key_at: Position,
    pub(crate) value: Node,
}

impl Node {
    /// What kind of value this is, for messages.
    pub(crate) const fn kind(&self) -> &'static str {
        match self.value {
            Value::Null | Value::Broken => "nothing",
            Value::Scalar(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// The value of `key`, if this is a map that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(pairs) => pairs.iter().find(|pair| pair.key == key),
            _ => None,
        }
        .map(|pair| &pair.value)
    }

    fn children(&self) -> Vec<&Self> {
        match &self.value {
            Value::List(items) => items.iter().collect(),
            Value::Map(pairs) => pairs.iter().map(|pair| &pair.value).collect(),
            _ => Vec::new(),
        }
    }

    /// `(values, levels)` of this and all below.
    fn size(&self) -> (usize, usize) {
        let children = self.children();
        let (nodes, depth) = children
            .iter()
            .map(|child| child.size())
            .fold((0, 0), |(n, d), (nodes, depth)| (n + nodes, d.max(depth)));
        (nodes + 1, depth + 1)
    }
}

/// The documents of a file, and whether it was read to its end.
#[derive(Debug)]
pub(crate) struct Documents {
    pub(crate) nodes: Vec<Node>,
    pub(crate) complete: bool,
}

/// Reads the documents of a file, empty ones left out.
pub(crate) fn parse(file: &Arc<FileText>, sink: &mut Sink) -> Documents {
    let mut builder = Builder {
        places: Places::new(file),
        open: Vec::new(),
        anchors: HashMap::new(),
        documents: Vec::new(),
        nodes: 0,
        sink,
    };
    let outcome = builder.read(&file.text);
    let nodes = std::mem::take(&mut builder.documents);
    let complete = outcome.is_ok();
    if let Err(problem) = outcome {
        sink.push(*problem);
    }
    Documents { nodes, complete }
}

/// From the parser's character offsets to bytes.
struct Places<'a> {
    file: &'a Arc<FileText>,
    /// The byte at which each character starts; empty where they are the same.
    bytes: Vec<usize>,
}

impl<'a> Places<'a> {
    fn new(file: &'a Arc<FileText>) -> Self {
        let bytes = if file.text.is_ascii() {
            Vec::new()
        } else {
            file.text.char_indices().map(|(byte, _)| byte).collect()
        };
        Self { file, bytes }
    }

    fn at(&self, span: saphyr_parser::Span) -> Position {
        let byte = |index: usize| {
            if self.bytes.is_empty() {
                index
            } else {
                let end = self.file.text.len();
                self.bytes.get(index).copied().unwrap_or(end)
            }
        };
        Position::new(self.file, byte(span.start.index()), byte(span.end.index()))
    }
}

/// A list or map that is not at its end yet.
struct Open {
    start: saphyr_parser::Span,
    anchor: usize,
    inside: Inside,
}

enum Inside {
    List(Vec<Node>),
    Map {
        pairs: Vec<Pair>,
        seen: BTreeSet<String>,
        key: Option<(String, Position)>,
    },
}

struct Anchored {
    node: Node,
    nodes: usize,
    depth: usize,
}

struct Builder<'a> {
    places: Places<'a>,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    documents: Vec<Node>,
    nodes: usize,
    sink: &'a mut Sink,
}

type Step = Result<(), Box<Problem>>;

impl Builder<'_> {
    fn read(&mut self, text: &str) -> Step {
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            match event {
                Ok((event, span)) => self.event(event, span)?,
                Err(error) => return Err(Box::new(self.syntax_problem(&error))),
            }
        }
        Ok(())
    }

    fn syntax_problem(&self, error: &saphyr_parser::ScanError) -> Problem {
        let at = self.places.at(saphyr_parser::Span::empty(*error.marker()));
        let problem = Problem::new(&at, format!("this is not YAML: {}", error.info()));
        if at.line_text().contains("${") {
            problem.with_help("inside `{ }` and `[ ]`, put a value that holds `${…}` in quotes")
        } else {
            problem
        }
    }

    fn event(&mut self, event: Event<'_>, span: saphyr_parser::Span) -> Step {
        match event {
            Event::DocumentStart(_) => self.anchors.clear(),
            Event::Scalar(text, style, anchor, tag) => {
                let at = self.places.at(span);
                if self.wants_key() {
                    return self.key(text.into_owned(), at);
                }
                let plain = style == ScalarStyle::Plain;
                let value = if tag.is_some() {
                    self.refuse_tag(&at);
                    Value::Broken
                } else if plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL") {
                    Value::Null
                } else {
                    let text = text.into_owned();
                    Value::Scalar(Scalar { text, plain })
                };
                self.count(1, &at)?;
                self.add(Node { value, at }, anchor);
            }
            Event::SequenceStart(anchor, tag) => {
                self.start(span, anchor, tag.is_some(), Inside::List(Vec::new()))?;
            }
            Event::MappingStart(anchor, tag) => {
                let inside = Inside::Map {
                    pairs: Vec::new(),
                    seen: BTreeSet::new(),
                    key: None,
                };
                self.start(span, anchor, tag.is_some(), inside)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Alias(anchor) => self.alias(anchor, span)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    /// Whether the next value is a key of a map.
    fn wants_key(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Open {
                inside: Inside::Map { key: None, .. },
                ..
            })
        )
    }

    fn key(&mut self, text: String, at: Position) -> Step {
        self.count(1, &at)?;
        if let Some(Open {
            inside: Inside::Map { key, .. },
            ..
        }) = self.open.last_mut()
        {
            *key = Some((text, at));
        }
        Ok(())
    }

    fn refuse_tag(&mut self, at: &Position) {
        let help = "leave the tag out: the field decides the type";
        self.sink
            .report_with_help(at, "YAML tags are not supported", help);
    }

    fn refuse_key(&self, at: &Position) -> Step {
        if self.wants_key() {
            let help = "put the text in quotes if it starts with `{`, `[` or `*`";
            let problem = Problem::new(at, "a key must be text, not a map, a list or an alias");
            return Err(Box::new(problem.with_help(help)));
        }
        Ok(())
    }

    fn start(
        &mut self,
        span: saphyr_parser::Span,
        anchor: usize,
        tagged: bool,
        inside: Inside,
    ) -> Step {
        let at = self.places.at(span);
        self.refuse_key(&at)?;
        self.count(1, &at)?;
        self.check_depth(1, &at)?;
        if tagged {
            self.refuse_tag(&at);
        }
        self.open.push(Open {
            start: span,
            anchor,
            inside,
        });
        Ok(())
    }

    fn end(&mut self, span: saphyr_parser::Span) {
        if let Some(open) = self.open.pop() {
            let value = match open.inside {
                Inside::List(items) => Value::List(items),
                Inside::Map { pairs, .. } => Value::Map(pairs),
            };
            let span = saphyr_parser::Span::new(open.start.start, span.end);
            let at = self.places.at(span);
            self.add(Node { value, at }, open.anchor);
        }
    }

    fn alias(&mut self, anchor: usize, span: saphyr_parser::Span) -> Step {
        let at = self.places.at(span);
        self.refuse_key(&at)?;
        let Some(anchored) = self.anchors.get(&anchor) else {
            let message = "this alias stands for nothing that is complete before it";
            return Err(Box::new(Problem::new(&at, message)));
        };
        let (node, nodes, depth) = (anchored.node.clone(), anchored.nodes, anchored.depth);
        self.count(nodes, &at)?;
        self.check_depth(depth, &at)?;
        self.add(node, 0);
        Ok(())
    }

    /// Puts a complete value where it belongs.
    fn add(&mut self, node: Node, anchor: usize) {
        if anchor > 0 {
            let (nodes, depth) = node.size();
            let node = node.clone();
            let anchored = Anchored { node, nodes, depth };
            self.anchors.insert(anchor, anchored);
        }
        match self.open.last_mut().map(|open| &mut open.inside) {
            None if matches!(node.value, Value::Null) => {}
            None => self.documents.push(node),
            Some(Inside::List(items)) => items.push(node),
            Some(Inside::Map { pairs, seen, key }) => {
                let Some((key, key_at)) = key.take() else {
                    return;
                };
                if seen.insert(key.clone()) {
                    pairs.push(Pair {
                        key,
                        key_at,
                        value: node,
                    });
                } else {
                    let first = pairs.iter().find(|pair| pair.key == key);
                    let first = first.map_or_else(|| key_at.clone(), |pair| pair.key_at.clone());
                    self.sink.report_with_help(
                        &key_at,
                        format!("`{key}` is given twice"),
                        format!("the first is at {first}"),
                    );
                }
            }
        }
    }

    fn count(&mut self, nodes: usize, at: &Position) -> Step {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            let message = format!("this file holds more than {MAX_NODES} values");
            let problem = Problem::new(at, message);
            return Err(Box::new(problem.with_help("split it")));
        }
        Ok(())
    }

    fn check_depth(&self, more: usize, at: &Position) -> Step {
        if self.open.len() + more > MAX_DEPTH {
            let message = format!("lists and maps are nested more than {MAX_DEPTH} levels deep");
            return Err(Box::new(Problem::new(at, message)));
        }
        Ok(())
    }
}
