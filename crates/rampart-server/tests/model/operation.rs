//! The server's operations by the names that the model calls them by.

use rampart_server::operations::{ORGANIZATIONS, Operation, RAM, RAMPART};

/// RAM's and Organizations' are called as they are; where two services have one of a name, the service comes first.
pub(crate) fn find(name: &str) -> &'static Operation {
    let (services, name) = match name.split_once(':') {
        Some(("organizations", name)) => (&[ORGANIZATIONS][..], name),
        Some(("rampart", name)) => (&[RAMPART][..], name),
        _ => (&[RAM, ORGANIZATIONS][..], name),
    };
    let mut all = services.iter().flat_map(|operations| operations.iter());
    all.find(|operation| operation.name == name).unwrap_or_else(|| panic!("there is no {name}"))
}
