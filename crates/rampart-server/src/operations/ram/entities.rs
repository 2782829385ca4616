//! The entities that a call names: recognised, and each taken once.

use rampart_core::associate::{Entities, check_call_size};
use rampart_core::resource::Resource;
use rampart_core::{Association, AssociationKind, Principal, Refusal, ShareArn};
use rampart_store::{Reader, StoreError};
use serde::Serialize;

use crate::app::{App, Call};

/// What CreateResourceShare and AssociateResourceShare name, without repetitions and in a stable order, so that two
/// calls that name the same set are the same call.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Named {
    pub(super) resource_arns: Vec<String>,
    pub(super) principals: Vec<String>,
}

impl Named {
    pub(super) fn new(
        resource_arns: Option<Vec<String>>,
        principals: Option<Vec<String>>,
        sources: Option<&[String]>,
    ) -> Result<Self, Refusal> {
        if sources.is_some_and(|sources| !sources.is_empty()) {
            return Err(Refusal::SourcesUnsupported);
        }
        let named = Self { resource_arns: as_set(resource_arns), principals: as_set(principals) };
        check_call_size(named.resource_arns.len(), named.principals.len())?;
        Ok(named)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.resource_arns.is_empty() && self.principals.is_empty()
    }

    /// Every entity with what it is.
    pub(super) fn entities(&self) -> impl Iterator<Item = (AssociationKind, &str)> {
        let resources = self.resource_arns.iter().map(|arn| (AssociationKind::Resource, arn.as_str()));
        resources.chain(self.principals.iter().map(|text| (AssociationKind::Principal, text.as_str())))
    }

    /// Recognises every entity, for a share of the caller.
    pub(super) fn recognise(&self, app: &App, call: &Call) -> Result<Entities<'static, '_>, Refusal> {
        let resources = self
            .resource_arns
            .iter()
            .map(|arn| Resource::parse(app.catalog, arn, call.account, call.region))
            .collect::<Result<_, _>>()?;
        let principals = self
            .principals
            .iter()
            .map(|text| Principal::parse(text, call.region.partition()))
            .collect::<Result<_, _>>()?;
        Ok(Entities { resources, principals })
    }

    /// The rows that `share` has for them, in the order of [`Self::entities`]. One round trip.
    pub(super) async fn load_rows(
        &self,
        reader: &Reader,
        share: ShareArn,
    ) -> Result<Vec<Option<Association>>, StoreError> {
        let rows = self.entities().map(|(kind, entity)| reader.association(share, kind, entity));
        futures_util::future::try_join_all(rows).await
    }
}

fn as_set(values: Option<Vec<String>>) -> Vec<String> {
    let mut values = values.unwrap_or_default();
    values.sort_unstable();
    values.dedup();
    values
}
