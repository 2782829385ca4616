//! Reading the data files of a directory.

use std::path::Path;

use serde::de::DeserializeOwned;

/// Every file of a directory under `tests/data`, with its name.
pub(crate) fn load<T: DeserializeOwned>(directory: &str) -> Vec<(String, T)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(directory);
    let mut paths: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    let read = |path: &Path| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).unwrap();
        let case = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, case)
    };
    paths.iter().map(|path| read(path)).collect()
}

/// A value alone or a list.
#[derive(Clone, serde::Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrList {
    One(String),
    List(Vec<String>),
}

impl OneOrList {
    pub(crate) fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(value) => vec![value],
            Self::List(values) => values,
        }
    }
}
