//! Which service and which operation a request is for.

use std::collections::HashMap;
use std::sync::LazyLock;

use http::Method;

use crate::failure::{Dialect, Failure};
use crate::operations::{Operation, RAM};

/// A service of AWS that is answered here, told by the credential scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Ram,
    Sts,
}

impl Service {
    pub(super) fn named(name: &str) -> Result<Self, Failure> {
        match name {
            "ram" => Ok(Self::Ram),
            "sts" => Ok(Self::Sts),
            other => Err(Failure::UnknownService(other.chars().take(64).collect())),
        }
    }

    /// Its name in a credential scope.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ram => "ram",
            Self::Sts => "sts",
        }
    }

    pub(super) fn dialect(self) -> Dialect {
        match self {
            Self::Ram => Dialect::RestJson,
            Self::Sts => Dialect::Query,
        }
    }
}

/// The operation of RAM with this method and path.
pub(super) fn operation_at(method: &Method, path: &str) -> Result<&'static Operation, Failure> {
    static BY_PATH: LazyLock<HashMap<String, &'static Operation>> =
        LazyLock::new(|| RAM.iter().map(|operation| (operation.path(), operation)).collect());
    BY_PATH.get(path).filter(|operation| operation.method == method.as_str()).copied().ok_or_else(|| {
        Failure::UnknownOperation(format!("{method} {}", path.chars().take(64).collect::<String>()))
    })
}
