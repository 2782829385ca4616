//! The entities that a call names: recognised, and each taken once.

use std::collections::BTreeSet;

use futures_util::future::{try_join, try_join_all};
use rampart_core::associate::{Entities, check_call_size};
use rampart_core::resource::Resource;
use rampart_core::source::SourceType;
use rampart_core::{AccountId, Association, AssociationKind, Partition, Principal, Refusal, ShareArn};
use rampart_store::{Reader, StoreError};
use serde::Serialize;

use super::input::check_resource_arn;
use crate::app::{App, Call};

/// What a call names, without repetitions and in a stable order, so that two calls that name the same set are the same
/// call.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Named {
    pub(super) resource_arns: Vec<String>,
    pub(super) principals: Vec<String>,
    pub(super) sources: Vec<String>,
}

impl Named {
    pub(super) fn new(
        resource_arns: Option<Vec<String>>,
        principals: Option<Vec<String>>,
        sources: Option<Vec<String>>,
    ) -> Result<Self, Refusal> {
        let named = Self {
            resource_arns: as_set(resource_arns),
            principals: as_set(principals),
            sources: as_set(sources),
        };
        check_call_size(named.resource_arns.len(), named.principals.len(), named.sources.len())?;
        Ok(named)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.resource_arns.is_empty() && self.principals.is_empty() && self.sources.is_empty()
    }

    /// Every entity with what it is.
    pub(super) fn entities(&self) -> impl Iterator<Item = (AssociationKind, &str)> {
        let resources = self.resource_arns.iter().map(|arn| (AssociationKind::Resource, arn.as_str()));
        let principals = self.principals.iter().map(|text| (AssociationKind::Principal, text.as_str()));
        let sources = self.sources.iter().map(|text| (AssociationKind::Source, text.as_str()));
        resources.chain(principals).chain(sources)
    }

    /// Recognises every entity, for a share of the caller.
    pub(super) fn recognise(&self, app: &App, call: &Call) -> Result<Entities<'static, '_>, Refusal> {
        let resources = self
            .resource_arns
            .iter()
            .map(|arn| Resource::parse(app.catalog, arn, call.account, call.region))
            .collect::<Result<_, Refusal>>()?;
        let principals = self
            .principals
            .iter()
            .map(|text| Principal::parse(text, call.region.partition()))
            .collect::<Result<_, Refusal>>()?;
        let sources = self
            .sources
            .iter()
            .map(|text| Ok((text.as_str(), SourceType::of(text)?)))
            .collect::<Result<_, Refusal>>()?;
        Ok(Entities { resources, principals, sources })
    }

    /// The rows that `share` has for them, in the order of [`Self::entities`]. One round trip.
    pub(super) async fn load_rows(
        &self,
        reader: &Reader,
        share: ShareArn,
    ) -> Result<Vec<Option<Association>>, StoreError> {
        try_join_all(self.entities().map(|(kind, entity)| reader.association(share, kind, entity))).await
    }

    /// The share's rows for the accounts that the named principals are in: all of an account's principals stand on one
    /// invitation. One round trip.
    pub(super) async fn load_company(
        &self,
        reader: &Reader,
        share: ShareArn,
    ) -> Result<Vec<Association>, StoreError> {
        let accounts: BTreeSet<AccountId> = self
            .principals
            .iter()
            .filter_map(|text| match Principal::parse(text, share.region.partition()) {
                Ok(Principal::Account(account) | Principal::Identity { account, .. }) => Some(account),
                _ => None,
            })
            .collect();
        let rows = accounts.iter().map(|account| reader.associations_of_receiver(share, account.as_str()));
        Ok(try_join_all(rows).await?.into_iter().flatten().collect())
    }

    /// Both, each row once.
    pub(super) async fn load_existing(
        &self,
        reader: &Reader,
        share: ShareArn,
    ) -> Result<Vec<Association>, StoreError> {
        let (rows, company) =
            try_join(self.load_rows(reader, share), self.load_company(reader, share)).await?;
        let mut existing = company;
        for row in rows.into_iter().flatten() {
            if existing.iter().all(|other| other.id != row.id) {
                existing.push(row);
            }
        }
        Ok(existing)
    }
}

/// Checks how an entity is written, whatever it names.
pub(super) fn check_form(kind: AssociationKind, entity: &str, partition: Partition) -> Result<(), Refusal> {
    match kind {
        AssociationKind::Resource => check_resource_arn(entity),
        AssociationKind::Principal => Principal::parse(entity, partition).map(drop),
        AssociationKind::Source => SourceType::of(entity).map(drop),
    }
}

fn as_set(values: Option<Vec<String>>) -> Vec<String> {
    let mut values = values.unwrap_or_default();
    values.sort_unstable();
    values.dedup();
    values
}
