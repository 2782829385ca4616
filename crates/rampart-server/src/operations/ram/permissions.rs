//! Loads permissions: those of the catalog from memory, an account's own from the store.

use std::collections::{BTreeSet, HashMap};

use futures_util::future::try_join_all;
use rampart_core::permission::customer::WithVersion;
use rampart_core::permission::parameters::{Declaration, ParameterType, Values};
use rampart_core::permission::{Attachable, CustomerPermission, Found, PermissionName, find};
use rampart_core::refusal::PermissionRefusal;
use rampart_core::{AccountId, AttachedPermission, Refusal};
use rampart_store::{Abort, Reader, StoreError};
use serde::{Deserialize, Serialize};

use super::input::required;
use crate::app::{App, Call};

/// A declaration as it came.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct DeclarationInput {
    name: Option<String>,
    r#type: Option<String>,
    description: Option<String>,
}

/// What a template declares.
pub(super) fn declarations(input: Option<Vec<DeclarationInput>>) -> Result<Vec<Declaration>, Refusal> {
    let declaration = |input: DeclarationInput| {
        let kind = required(input.r#type, "permissionTemplateParameters.type")?;
        Ok(Declaration {
            name: required(input.name, "permissionTemplateParameters.name")?,
            kind: ParameterType::parse(&kind)?,
            description: input.description,
        })
    };
    input.unwrap_or_default().into_iter().map(declaration).collect()
}

/// Values for a parameter as they came.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct ValuesInput {
    name: Option<String>,
    values: Option<Vec<String>>,
}

/// Values by parameter; of a parameter that is given twice, all.
pub(super) fn values(input: Option<Vec<ValuesInput>>) -> Result<Values, Refusal> {
    let mut values = Values::new();
    for ValuesInput { name, values: given } in input.unwrap_or_default() {
        let name = required(name, "permissionTemplateParameters.name")?;
        values.entry(name).or_default().extend(given.unwrap_or_default());
    }
    Ok(values)
}

/// The permission of that ARN as it can be attached: no query for one of the catalog, two for the caller's own.
pub(super) async fn attachable(
    reader: &Reader,
    app: &App,
    call: &Call,
    arn: &str,
) -> Result<Attachable, Abort> {
    match find(app.catalog, arn, call.account, call.region)? {
        Found::Managed(permission) => Ok(Attachable::managed(permission)),
        Found::Own(name) => {
            let (permission, version) = with_default(reader, call, &name).await?;
            Ok(Attachable::customer(&permission, &version))
        }
    }
}

/// The name of one of the caller's own, as an operation that changes it is given it. The catalog's cannot be changed.
pub(super) fn own_name(app: &App, call: &Call, arn: &str) -> Result<String, Refusal> {
    match find(app.catalog, arn, call.account, call.region)? {
        Found::Own(name) => Ok(name),
        Found::Managed(_) => Err(PermissionRefusal::NotOwn { arn: arn.to_owned() }.into()),
    }
}

/// One of the caller's own that is not deleted.
pub(super) async fn own(reader: &Reader, call: &Call, name: &str) -> Result<CustomerPermission, Abort> {
    let permission = reader.permission(call.account, call.region, name).await?;
    Ok(permission.filter(|row| row.deleted.is_none()).ok_or_else(|| not_found(call, name))?)
}

/// One of the caller's own that is not deleted, with its default version.
pub(super) async fn with_default(reader: &Reader, call: &Call, name: &str) -> Result<WithVersion, Abort> {
    let permission = own(reader, call, name).await?;
    let number = permission.default.number.into();
    let version = reader.permission_version(call.account, call.region, name, number).await?;
    let lost = || StoreError::Corrupt { what: format!("permission {name} has no default version") };
    Ok((permission, version.ok_or_else(lost)?))
}

/// No permission of that name is the caller's.
pub(super) fn not_found(call: &Call, name: &str) -> Refusal {
    not_found_of(call.account, call, name)
}

/// No permission of that name is `owner`'s in the call's Region, as far as the caller may know.
pub(super) fn not_found_of(owner: AccountId, call: &Call, name: &str) -> Refusal {
    Refusal::PermissionNotFound { arn: PermissionName::Customer(name.to_owned()).arn(owner, call.region) }
}

/// The customer managed permissions of some shares' rows, each read once.
pub(super) struct OwnPermissions(HashMap<(AccountId, String), CustomerPermission>);

impl OwnPermissions {
    /// One query for each permission that is not the catalog's, all at once.
    pub(super) async fn load<'r>(
        reader: &Reader,
        rows: impl IntoIterator<Item = &'r AttachedPermission>,
    ) -> Result<Self, StoreError> {
        let named = rows.into_iter().filter_map(|row| match &row.permission {
            PermissionName::Customer(name) => Some((row.owner, row.region, name.as_str())),
            PermissionName::Managed(_) => None,
        });
        let named: BTreeSet<_> = named.collect();
        let found = named.into_iter().map(|(owner, region, name)| reader.permission(owner, region, name));
        let found = try_join_all(found).await?.into_iter().flatten();
        Ok(Self(found.map(|own| ((own.owner, own.name.clone()), own)).collect()))
    }

    /// The permission of a row, if it is not the catalog's and still there: a deleted share keeps rows of permissions that
    /// are deleted too, and whose names others may have.
    pub(super) fn of(&self, row: &AttachedPermission) -> Option<&CustomerPermission> {
        match &row.permission {
            PermissionName::Customer(name) => {
                self.0.get(&(row.owner, name.clone())).filter(|own| row.is_of(own))
            }
            PermissionName::Managed(_) => None,
        }
    }

    /// Whether a row is pinned to the present default of its permission.
    pub(super) fn is_default(&self, row: &AttachedPermission, app: &App) -> bool {
        match &row.permission {
            PermissionName::Managed(name) => {
                app.catalog.permission_named(name).is_some_and(|known| known.default_version() == row.version)
            }
            PermissionName::Customer(_) => self.of(row).is_some_and(|own| own.default.number == row.version),
        }
    }
}
