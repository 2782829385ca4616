//! What an attached permission allows, as statements.

use std::collections::BTreeMap;

use rampart_core::AttachedPermission;
use rampart_core::catalog::Catalog;
use rampart_policy::{Statement, Template};

use crate::failure::Failure;

/// The templates of the permission's version, one for each statement that it makes; none where the catalog does not
/// know what the version allows.
pub(super) fn templates_of(catalog: &Catalog, row: &AttachedPermission) -> Result<Vec<Template>, Failure> {
    let known = catalog.permission_named(&row.permission.0);
    let texts = known.and_then(|permission| permission.templates(row.version)).unwrap_or_default();
    let parsed: Result<_, _> = texts.iter().map(|text| Template::parse(text)).collect();
    parsed.map_err(|error| {
        tracing::error!(permission = %row.permission, version = row.version, %error, "a template does not parse");
        Failure::Internal
    })
}

/// The statements that it gives its share, without principals and resources.
pub(super) fn statements_of(catalog: &Catalog, row: &AttachedPermission) -> Result<Vec<Statement>, Failure> {
    let rendered: Result<_, _> =
        templates_of(catalog, row)?.iter().map(|template| template.render(&[], &BTreeMap::new())).collect();
    rendered.map_err(|error| {
        tracing::error!(permission = %row.permission, version = row.version, %error, "a template does not render");
        Failure::Internal
    })
}
