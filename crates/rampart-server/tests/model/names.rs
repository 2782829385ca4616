//! Between the model's labels and what the server made of them.

use serde_json::Value;

/// Which id of the server each label stands for.
#[derive(Clone)]
pub(crate) struct Names {
    known: Vec<(String, String)>,
    /// The server's time when the sequence began, in milliseconds.
    began: i64,
}

impl Names {
    /// The accounts of a sequence have numbers of their own: it finds nothing of those before it.
    pub(crate) fn new(accounts: &[&str], sequence: u64, began: i64) -> Self {
        let number = |(at, label): (usize, &&str)| ((*label).to_owned(), format!("7{sequence:010}{at}"));
        Self { known: accounts.iter().enumerate().map(number).collect(), began }
    }

    pub(crate) fn knows(&self, label: &str) -> bool {
        self.known.iter().any(|(known, _)| known == label)
    }

    /// Labels become ids; what was never made becomes an id of the same form that names nothing.
    pub(crate) fn real(&self, value: &Value) -> Value {
        let mut text = value.to_string();
        for (label, id) in &self.known {
            text = text.replace(label, id);
        }
        while let (Some(from), Some(to)) = (text.find('<'), text.find('>')) {
            let nothing = match &text[from + 1..to] {
                label if label.starts_with("org-") => "o-aaaaaaaaaa",
                label if label.starts_with("root-") => "r-aaaa",
                label if label.starts_with("unit-") => "ou-aaaa-aaaaaaaa",
                label if label.starts_with("handshake-") => "h-aaaaaaaa",
                label if label.starts_with("policy-") => "p-aaaaaaaa",
                label if label.starts_with("account-") => "999999999999",
                label if label.starts_with("creation-") => "car-00000000000000000000000000000000",
                _ => "00000000-0000-4000-8000-00000000dead",
            };
            text.replace_range(from..=to, nothing);
        }
        serde_json::from_str(&text).expect("ids need no escapes")
    }

    /// Ids become labels, and times milliseconds since the sequence began.
    pub(crate) fn labelled(&self, value: &Value) -> Value {
        let mut value = self.with_labels(value);
        self.count_from_beginning(&mut value);
        value
    }

    /// The ids that have labels by now become these.
    pub(crate) fn with_labels(&self, value: &Value) -> Value {
        let mut text = value.to_string();
        for (label, id) in &self.known {
            text = text.replace(id, label);
        }
        serde_json::from_str(&text).expect("labels need no escapes")
    }

    fn count_from_beginning(&self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.count_from_beginning(item)),
            Value::Object(members) => {
                for (name, member) in members {
                    match member.as_f64() {
                        Some(seconds) if name.ends_with("Time") || name.ends_with("imestamp") => {
                            #[expect(
                                clippy::cast_possible_truncation,
                                reason = "a time is far below the limit"
                            )]
                            let at = (seconds * 1000.0).round() as i64;
                            *member = Value::from(at - self.began);
                        }
                        _ => self.count_from_beginning(member),
                    }
                }
            }
            _ => {}
        }
    }

    /// Holds an answer against what was expected; lists are in any order. A label that is met for the first time stands
    /// for what is in its place from then on. Members that were not expected are passed over unless all must be.
    pub(crate) fn agree(&mut self, expected: &Value, actual: &Value, all: bool) -> bool {
        match (expected, actual) {
            (Value::String(expected), Value::String(actual)) => self.same(expected, actual),
            (Value::Object(expected), Value::Object(actual)) => {
                (!all || expected.len() == actual.len())
                    && expected.iter().all(|(name, expected)| {
                        actual.get(name).is_some_and(|actual| self.agree(expected, actual, all))
                    })
            }
            (Value::Array(expected), Value::Array(actual)) => self.agree_lists(expected, actual, all),
            _ => expected == actual,
        }
    }

    fn same(&mut self, expected: &str, actual: &str) -> bool {
        let label = expected.rfind('<').zip(expected.rfind('>')).map(|(from, to)| (from, to + 1));
        let new = label.filter(|(from, to)| !self.knows(&expected[*from..*to]));
        let Some((from, to)) = new.filter(|_| expected != actual) else { return expected == actual };
        let rest = actual.strip_prefix(&expected[..from]);
        let Some(id) = rest.and_then(|rest| rest.strip_suffix(&expected[to..])) else { return false };
        if id.is_empty() || id.contains('<') {
            return false;
        }
        self.known.push((expected[from..to].to_owned(), id.to_owned()));
        true
    }

    fn agree_lists(&mut self, expected: &[Value], actual: &[Value], all: bool) -> bool {
        if expected.len() != actual.len() {
            return false;
        }
        // What is known first: what is left may be what has no label yet.
        let mut left: Vec<&Value> = actual.iter().collect();
        let mut new = Vec::new();
        for item in expected {
            let before = self.known.len();
            let same = |other: &&Value| self.agree(item, other, all) && self.known.len() == before;
            if let Some(at) = left.iter().position(same) {
                left.remove(at);
            } else {
                self.known.truncate(before);
                new.push(item);
            }
        }
        new.len() == left.len() && new.iter().zip(left).all(|(item, other)| self.agree(item, other, all))
    }
}
