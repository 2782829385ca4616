//! The store: one writer per partition, one SQL text, two drivers.
//!
//! A [`Store`] hands out a [`Reader`] for what is committed, and runs a [`Work`] inside the one transaction that
//! writes its partition. Nothing above this crate knows SQL; nothing in it knows AWS's wire or decides anything about
//! sharing. Queries stand in `tables`, one file per table, as methods of [`Reader`] and [`Transaction`].

mod connection;
mod error;
mod figures;
mod follower;
mod job;
mod migrations;
mod partition;
mod postgres;
mod random;
mod sealing;
mod snapshot;
mod sqlite;
mod statement;
mod store;
mod tables;
mod transaction;
mod transfer;

pub use error::{Abort, StoreError};
pub use figures::{EngineFigures, Figures};
pub use follower::{FOLLOW_EVERY, Follow, Follower};
pub use migrations::{Migrated, SCHEMA_VERSION};
pub use partition::{PartitionId, Partitions};
pub use postgres::SESSION as POSTGRES_SESSION;
pub use sealing::{MasterKey, MasterKeyError};
pub use snapshot::{PartitionRows, Snapshot};
pub use statement::Statement;
pub use store::{Location, LocationError, Options, Reader, Store, Timeouts, Together};
pub use tables::STATEMENTS;
pub use tables::association::{AssociationCursor, AssociationInShare, AssociationScope};
pub use tables::caller_version::{CallerVersion, CallerVersions};
pub use tables::change_log::{LogEntry, LogPosition};
pub use tables::client_token::{RememberedAnswer, TokenScope};
pub use tables::effective::{EffectiveEntity, HoldingShare};
pub use tables::holding::HeldEntity;
pub use tables::iam_identity::IdentityCursor;
pub use tables::invitation::InvitationCursor;
pub use tables::known_account::KnownKey;
pub use tables::lease::{BACKGROUND, Fence, Lease};
pub use tables::organization_policy::PolicyDocument;
pub use tables::organization_remains::Remains;
pub use tables::organization_request::{CreationKey, HandshakeKey};
pub use tables::organization_tidying::{BasisCursor, BasisScope};
pub use tables::permission::PermissionCursor;
pub use tables::replace_work::WorkCursor;
pub use tables::resource_share::{ReceivedGrant, ShareCursor, ShareScope};
pub use tables::retention::{AssociationKey, EventKey, TokenKey};
pub use tables::share_permission::{AttachedInShare, AttachmentCursor};
pub use transaction::{Transaction, Work};
pub use transfer::{Progress, TransferError};
