//! The policy that RAM makes for a resource: all shares that hold it, merged into one document (reference §8).
//!
//! A share gives statements: for each statement of its permission one for each audience, which is a kind of principal
//! with the condition that confines it. All conditions of a statement must hold, the permission's own and RAM's.

use rampart_aws::{Arn, Partition};
use rampart_policy::document::{Condition, PrincipalKind, Principals, Selection};
use rampart_policy::{Comparison, Document, Effect, Operator, Quantifier, Statement, Version, literal};

use crate::Principal;
use crate::source::SourceType;

/// What one share gives of a resource.
#[derive(Clone, Copy, Debug, Default)]
pub struct Grant<'a> {
    /// What the share's permission for the type allows: statements without principals and resources.
    pub allowed: &'a [Statement],
    /// With whom it is shared, effectively: who was invited and has not accepted is not here.
    pub principals: &'a [Principal],
    /// From where the requests of service principals may come.
    pub sources: &'a [String],
}

/// The document of a resource, or `None` when its shares give nothing to anybody.
// AWS: both versions of the language were seen, and `RamStatement{n}`; one form for all types is the recommended choice
// (reference §8, inferred).
pub fn document<'g>(
    resource: &str,
    partition: Partition,
    grants: impl IntoIterator<Item = Grant<'g>>,
) -> Option<Document> {
    let mut statements = Vec::new();
    for grant in grants {
        let audiences = audiences(&grant, partition);
        for allowed in grant.allowed {
            for audience in &audiences {
                let Some(condition) = audience.confine(&allowed.condition) else { continue };
                statements.push(Statement {
                    sid: Some(format!("RamStatement{}", statements.len() + 1)),
                    effect: Effect::Allow,
                    principals: Some(Selection::Only(audience.principals.clone())),
                    actions: allowed.actions.clone(),
                    resources: Some(Selection::Only(vec![literal(resource)])),
                    condition,
                });
            }
        }
    }
    let document = Document { version: Some(Version::V2012), id: None, statements };
    (!document.statements.is_empty()).then_some(document)
}

/// Principals of one kind, and what RAM demands of their requests.
struct Audience {
    principals: Principals,
    demand: Option<Demand>,
}

/// A condition that RAM adds: one of these values under this key.
struct Demand {
    key: &'static str,
    comparison: Comparison,
    quantifier: Quantifier,
    values: Vec<String>,
}

fn audiences(grant: &Grant<'_>, partition: Partition) -> Vec<Audience> {
    let (mut named, mut organizations, mut units, mut services) = (vec![], vec![], vec![], vec![]);
    for principal in grant.principals {
        match principal {
            Principal::Account(account) => {
                named.push(format!("arn:{}:iam::{account}:root", partition.as_str()));
            }
            Principal::Identity { arn, .. } => named.push(arn.clone()),
            Principal::Organization { id, .. } => organizations.push(id.clone()),
            Principal::OrganizationalUnit { id, arn } => units.extend(unit_path(arn, id)),
            Principal::Service(name) => services.push(name.clone()),
        }
    }
    let mut audiences = Vec::new();
    if !named.is_empty() {
        let principals = of_kind(PrincipalKind::Aws, named);
        audiences.push(Audience { principals, demand: None });
    }
    if !organizations.is_empty() {
        let demand = Demand::equals("aws:PrincipalOrgID", organizations);
        audiences.push(Audience { principals: Principals::Anyone, demand: Some(demand) });
    }
    if !units.is_empty() {
        let demand = Demand::any_like("aws:PrincipalOrgPaths", units);
        audiences.push(Audience { principals: Principals::Anyone, demand: Some(demand) });
    }
    if !services.is_empty() {
        // Sources of several kinds are alternatives, and the keys of one statement are not: a statement for each kind.
        let demands = source_demands(grant.sources).into_iter();
        audiences.extend(demands.map(|demand| Audience {
            principals: of_kind(PrincipalKind::Service, services.clone()),
            demand: Some(demand),
        }));
    }
    audiences
}

fn of_kind(kind: PrincipalKind, names: Vec<String>) -> Principals {
    Principals::Named([(kind, names)].into())
}

/// The paths of all accounts that are in a unit, directly or in units below it.
// AWS: no real sample was seen; the key is one that RAM reserves for itself (reference §8, inferred).
fn unit_path(arn: &str, unit: &str) -> Option<String> {
    let arn = Arn::parse(arn).ok()?;
    let organization = arn.resource().split('/').nth(1)?;
    Some(format!("{organization}/*/{unit}/*"))
}

/// What each kind of source demands. A service principal that has no source gets nothing: it would act for anybody.
// AWS: the keys follow from those that RAM reserves for itself (reference §8, inferred).
fn source_demands(sources: &[String]) -> Vec<Demand> {
    let of = |wanted: SourceType| {
        let values = sources.iter().filter(|text| SourceType::of(text) == Ok(wanted));
        // A source may hold wildcards, but its owner knows nothing of policy variables.
        values.map(|text| text.replace('$', "${$}")).collect::<Vec<_>>()
    };
    let demands = [
        Demand::equals("aws:SourceAccount", of(SourceType::Account)),
        Demand::arn_like("aws:SourceArn", of(SourceType::Arn)),
        Demand::equals("aws:SourceOrgID", of(SourceType::Organization)),
        Demand::any_like("aws:SourceOrgPaths", of(SourceType::OrganizationPath)),
    ];
    demands.into_iter().filter(|demand| !demand.values.is_empty()).collect()
}

impl Demand {
    fn equals(key: &'static str, values: Vec<String>) -> Self {
        Self { key, comparison: Comparison::StringEquals, quantifier: Quantifier::Plain, values }
    }

    fn arn_like(key: &'static str, values: Vec<String>) -> Self {
        Self { key, comparison: Comparison::ArnLike, quantifier: Quantifier::Plain, values }
    }

    fn any_like(key: &'static str, values: Vec<String>) -> Self {
        Self { key, comparison: Comparison::StringLike, quantifier: Quantifier::ForAnyValue, values }
    }

    /// The ways to say the same, the usual one first. A statement says one operator and key only once, so where the
    /// permission has said RAM's own, another way makes both count.
    fn spellings(&self) -> impl Iterator<Item = (Operator, Vec<String>)> {
        let other = match self.comparison {
            Comparison::StringEquals => {
                Some((Comparison::StringLike, self.values.iter().map(|value| literal(value)).collect()))
            }
            Comparison::ArnLike => Some((Comparison::ArnEquals, self.values.clone())),
            _ => None,
        };
        // A positive operator holds if any of the key's values matches, with `ForAnyValue:` and without.
        let quantifiers = match self.quantifier {
            Quantifier::ForAnyValue => [Quantifier::ForAnyValue, Quantifier::Plain],
            _ => [Quantifier::Plain, Quantifier::ForAnyValue],
        };
        let comparisons = std::iter::once((self.comparison, self.values.clone())).chain(other);
        comparisons.flat_map(move |(comparison, values)| {
            quantifiers
                .map(|quantifier| (Operator { comparison, quantifier, if_exists: false }, values.clone()))
        })
    }
}

impl Audience {
    /// The permission's condition together with RAM's. `None` if the permission has used every way to say RAM's: then
    /// nothing is granted rather than too much. A permission's template has one operator, so it always can be said.
    fn confine(&self, own: &Condition) -> Option<Condition> {
        let mut condition = own.clone();
        let Some(demand) = &self.demand else { return Some(condition) };
        let is_free = |operator: &Operator| {
            let keys = own.get(operator).into_iter().flat_map(|keys| keys.keys());
            keys.into_iter().all(|key| !key.eq_ignore_ascii_case(demand.key))
        };
        let (operator, values) = demand.spellings().find(|(operator, _)| is_free(operator))?;
        condition.entry(operator).or_default().insert(demand.key.to_owned(), values);
        Some(condition)
    }
}
