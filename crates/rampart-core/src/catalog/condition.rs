//! The condition of a statement in a catalog: each operator and each key is there once. JSON readers keep the last of
//! several, and what is left out then is a condition that somebody meant.

use std::fmt;

use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// Reads it.
pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    let read = Option::<Once<Once<Value>>>::deserialize(deserializer)?;
    let object = |Once(keys): Once<Value>| keys.into_iter().collect::<Map<_, _>>();
    Ok(read.map(|Once(operators)| {
        operators.into_iter().map(|(operator, keys)| (operator, object(keys))).collect()
    }))
}

/// The members of an object, of which no two have one name.
struct Once<T>(Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Once<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members(Vec::new()))
    }
}

struct Members<T>(Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
    type Value = Once<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<Once<T>, A::Error> {
        while let Some((name, value)) = members.next_entry::<String, T>()? {
            if self.0.iter().any(|(other, _)| other.eq_ignore_ascii_case(&name)) {
                return Err(A::Error::custom(format_args!("`{name}` is there twice")));
            }
            self.0.push((name, value));
        }
        Ok(Once(self.0))
    }
}
