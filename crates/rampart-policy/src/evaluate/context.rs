//! The condition keys of a request.

/// Condition keys with their values. Names are alike in both cases; a key without values is as good as absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Context {
    /// Sorted by name; names in lower case, each once, each with values.
    entries: Vec<(String, Vec<String>)>,
}

impl Context {
    pub(crate) const EMPTY: Self = Self { entries: Vec::new() };

    /// No keys.
    pub fn new() -> Self {
        Self::EMPTY
    }

    /// Adds values to a key.
    pub fn insert<V: Into<String>>(&mut self, key: &str, values: impl IntoIterator<Item = V>) {
        let key = key.to_lowercase();
        let values = values.into_iter().map(Into::into);
        match self.find(&key) {
            Ok(at) => self.entries[at].1.extend(values),
            Err(at) => {
                let values: Vec<String> = values.collect();
                if !values.is_empty() {
                    self.entries.insert(at, (key, values));
                }
            }
        }
    }

    /// Adds a value to a key.
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.insert(key, [value]);
        self
    }

    /// The values of a key that is in lower case; none if the request does not have it.
    pub(crate) fn get(&self, lower_key: &str) -> &[String] {
        self.find(lower_key).map_or(&[], |at| &self.entries[at].1)
    }

    fn find(&self, lower_key: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|(key, _)| key.as_str().cmp(lower_key))
    }
}
