//! What an attached permission allows, as statements.

use std::fmt::Display;

use rampart_core::AttachedPermission;
use rampart_core::permission::PermissionName;
use rampart_core::permission::parameters::values_of;
use rampart_core::policy_share::read;
use rampart_policy::{Statement, Template};
use rampart_store::{Reader, StoreError};

use crate::app::App;

/// The statements that it gives its share, without principals and resources; none where the catalog does not know what
/// the version allows. One query for a customer managed permission, none for one of the catalog.
pub(crate) async fn statements_of(
    reader: &Reader,
    app: &App,
    row: &AttachedPermission,
) -> Result<Vec<Statement>, StoreError> {
    let broken = |error: &dyn Display| {
        let what = format!("{} version {} does not render: {error}", row.permission_arn(), row.version);
        StoreError::Corrupt { what }
    };
    let texts = match &row.permission {
        PermissionName::Managed(name) => {
            let known = app.catalog.permission_named(name);
            known.and_then(|permission| permission.templates(row.version)).unwrap_or_default()
        }
        PermissionName::Customer(name) => {
            let number = i64::from(row.version);
            let version = reader.permission_version(row.owner, row.region, name, number).await?;
            let text = version.ok_or_else(|| broken(&"there is no such version"))?.template;
            if row.parameters.is_empty() {
                // What was made of a policy may say more than a template can.
                return read::statements_of(&text).map_err(|error| broken(&error));
            }
            vec![text]
        }
    };
    let statement = |text: &String| {
        let template = Template::parse(text).map_err(|error| broken(&error))?;
        let (declared, values) = values_of(&row.parameters);
        template.render(&declared, &values).map_err(|error| broken(&error))
    };
    texts.iter().map(statement).collect()
}
