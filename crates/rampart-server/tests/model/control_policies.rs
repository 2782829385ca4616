//! Service control policies, what they are attached to, and tags (Organizations' own documentation).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::organization::Organization;
use crate::world::{Answer, Caller, refused, text, texts};

/// AWS's policy, which every organization with all features has.
const FULL_ACCESS: &str = "p-FullAWSAccess";
const PER_TARGET_MAX: usize = 5;

/// What an organization controls its accounts by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Control {
    is_enabled: bool,
    pub(crate) policies: Vec<Policy>,
    /// Place and policy. Places are the root, units and accounts.
    attached: BTreeSet<(String, String)>,
    /// By resource and key.
    tags: BTreeMap<(String, String), String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Policy {
    /// `<policy-3>`
    pub(crate) label: String,
    name: String,
    description: String,
    content: String,
}

impl Policy {
    fn full_access() -> Self {
        let texts = ["FullAWSAccess", "Allows access to every operation"].map(str::to_owned);
        let [name, description] = texts;
        Self { label: FULL_ACCESS.to_owned(), name, description, content: String::new() }
    }

    fn summary(&self) -> Value {
        json!({"Id": self.label, "Name": self.name, "Description": self.description,
               "Type": "SERVICE_CONTROL_POLICY", "AwsManaged": self.label == FULL_ACCESS})
    }

    fn shape(&self) -> Value {
        let mut shape = json!({"PolicySummary": self.summary()});
        if self.label != FULL_ACCESS {
            shape["Content"] = json!(self.content);
        }
        json!({"Policy": shape})
    }
}

impl Control {
    /// Every place begins with AWS's policy.
    pub(crate) fn place_is_made(&mut self, place: &str) {
        if self.is_enabled {
            self.attached.insert((place.to_owned(), FULL_ACCESS.to_owned()));
        }
    }

    pub(crate) fn place_is_gone(&mut self, place: &str) {
        self.attached.retain(|(target, _)| target != place);
        self.tags.retain(|(resource, _), _| resource != place);
    }

    fn of(&self, place: &str) -> Vec<&str> {
        let there = self.attached.iter().filter(|(target, _)| target == place);
        there.map(|(_, policy)| policy.as_str()).collect()
    }

    fn known(&self, label: &str) -> Option<Policy> {
        if label == FULL_ACCESS {
            return Some(Policy::full_access());
        }
        self.policies.iter().find(|policy| policy.label == label).cloned()
    }
}

impl Organization {
    fn places(&self) -> Vec<String> {
        let units = self.units.iter().map(|unit| unit.label.clone());
        let accounts = self.members.iter().map(|member| member.account.clone());
        units.chain(accounts).chain([self.root.clone()]).collect()
    }

    pub(crate) fn root_shape(&self) -> Value {
        let enabled = self.control.is_enabled;
        let kind = enabled.then(|| json!({"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}));
        json!({"Id": self.root, "PolicyTypes": kind.into_iter().collect::<Vec<_>>()})
    }

    pub(crate) fn control_policies(&mut self, who: Caller<'_>, operation: &str, input: &Value) -> Answer {
        match operation {
            "EnablePolicyType" | "DisablePolicyType" => self.set_policy_type(operation, input),
            "CreatePolicy" => self.create_policy(who, input),
            "UpdatePolicy" | "DeletePolicy" => self.change_policy(operation, input),
            "AttachPolicy" | "DetachPolicy" => self.attach_policy(operation, input),
            "DescribePolicy" => match self.control.known(text(input, "PolicyId")) {
                Some(policy) => Ok(policy.shape()),
                None => refused("PolicyNotFound"),
            },
            "ListPolicies" => {
                let full = self.all_features.then(Policy::full_access);
                let policies = self.control.policies.iter().cloned().chain(full);
                Ok(json!({"Policies": policies.map(|policy| policy.summary()).collect::<Vec<_>>()}))
            }
            "ListPoliciesForTarget" => self.list_policies_for_target(text(input, "TargetId")),
            "ListTargetsForPolicy" => self.list_targets_for_policy(text(input, "PolicyId")),
            _ => self.tag(operation, input),
        }
    }

    fn set_policy_type(&mut self, operation: &str, input: &Value) -> Answer {
        if text(input, "RootId") != self.root {
            return refused("RootNotFound");
        }
        let enables = operation == "EnablePolicyType";
        match (enables, self.control.is_enabled) {
            (true, _) if !self.all_features => return refused("PolicyTypeNotAvailableForOrganization"),
            (true, true) => return refused("PolicyTypeAlreadyEnabled"),
            (false, false) => return refused("PolicyTypeNotEnabled"),
            _ => {}
        }
        self.control.is_enabled = enables;
        self.control.attached.clear();
        for place in self.places() {
            self.control.place_is_made(&place);
        }
        Ok(json!({"Root": self.root_shape()}))
    }

    fn create_policy(&mut self, who: Caller<'_>, input: &Value) -> Answer {
        if !self.all_features {
            return refused("PolicyTypeNotAvailableForOrganization");
        }
        if self.control.policies.iter().any(|policy| policy.name == text(input, "Name")) {
            return refused("DuplicatePolicy");
        }
        let policy = Policy {
            label: format!("<policy-{}>", who.number),
            name: text(input, "Name").to_owned(),
            description: text(input, "Description").to_owned(),
            content: text(input, "Content").to_owned(),
        };
        self.control.policies.push(policy.clone());
        Ok(policy.shape())
    }

    fn change_policy(&mut self, operation: &str, input: &Value) -> Answer {
        let (label, control) = (text(input, "PolicyId"), &mut self.control);
        if label == FULL_ACCESS {
            return refused("InvalidInput");
        }
        let name = text(input, "Name");
        let is_taken = control.policies.iter().any(|policy| policy.label != label && policy.name == name);
        let Some(at) = control.policies.iter().position(|policy| policy.label == label) else {
            return refused("PolicyNotFound");
        };
        if operation == "UpdatePolicy" {
            if is_taken {
                return refused("DuplicatePolicy");
            }
            name.clone_into(&mut control.policies[at].name);
            return Ok(control.policies[at].shape());
        }
        if control.attached.iter().any(|(_, policy)| policy == label) {
            return refused("PolicyInUse");
        }
        control.policies.remove(at);
        control.tags.retain(|(resource, _), _| resource != label);
        Ok(json!({}))
    }

    fn attach_policy(&mut self, operation: &str, input: &Value) -> Answer {
        let (target, policy) = (text(input, "TargetId"), text(input, "PolicyId"));
        if self.control.known(policy).is_none() {
            return refused("PolicyNotFound");
        }
        if !self.places().iter().any(|place| place == target) {
            return refused("TargetNotFound");
        }
        if !self.control.is_enabled {
            return refused("PolicyTypeNotEnabled");
        }
        let (attaches, there) = (operation == "AttachPolicy", self.control.of(target));
        match (attaches, there.contains(&policy), there.len()) {
            (true, true, _) => return refused("DuplicatePolicyAttachment"),
            (false, false, _) => return refused("PolicyNotAttached"),
            // One always stays.
            (true, false, PER_TARGET_MAX..) | (false, true, 1) => return refused("ConstraintViolation"),
            _ => {}
        }
        let pair = (target.to_owned(), policy.to_owned());
        if attaches {
            self.control.attached.insert(pair);
        } else {
            self.control.attached.remove(&pair);
        }
        Ok(json!({}))
    }

    fn list_policies_for_target(&self, target: &str) -> Answer {
        if !self.places().iter().any(|place| place == target) {
            return refused("TargetNotFound");
        }
        let policies = self.control.of(target).into_iter().filter_map(|label| self.control.known(label));
        Ok(json!({"Policies": policies.map(|policy| policy.summary()).collect::<Vec<_>>()}))
    }

    fn list_targets_for_policy(&self, label: &str) -> Answer {
        if self.control.known(label).is_none() {
            return refused("PolicyNotFound");
        }
        let there = self.control.attached.iter().filter(|(_, policy)| policy == label);
        let kind = |target: &str| match target {
            _ if *target == self.root => "ROOT",
            _ if self.members.iter().any(|member| member.account == target) => "ACCOUNT",
            _ => "ORGANIZATIONAL_UNIT",
        };
        let items = there.map(|(target, _)| json!({"TargetId": target, "Type": kind(target)}));
        Ok(json!({"Targets": items.collect::<Vec<_>>()}))
    }

    fn tag(&mut self, operation: &str, input: &Value) -> Answer {
        let resource = text(input, "ResourceId");
        if resource == FULL_ACCESS {
            return refused("InvalidInput");
        }
        let is_place = self.places().iter().any(|place| place == resource);
        if !is_place && self.control.known(resource).is_none() {
            return refused("TargetNotFound");
        }
        let tags = &mut self.control.tags;
        let key = |key: &str| (resource.to_owned(), key.to_owned());
        match operation {
            "organizations:TagResource" => {
                for tag in input["Tags"].as_array().into_iter().flatten() {
                    tags.insert(key(text(tag, "Key")), text(tag, "Value").to_owned());
                }
                Ok(json!({}))
            }
            "organizations:UntagResource" => {
                for name in texts(input, "TagKeys") {
                    tags.remove(&key(&name));
                }
                Ok(json!({}))
            }
            "ListTagsForResource" => {
                let there = tags.iter().filter(|((of, _), _)| of == resource);
                let items = there.map(|((_, key), value)| json!({"Key": key, "Value": value}));
                Ok(json!({"Tags": items.collect::<Vec<_>>()}))
            }
            _ => unreachable!("{operation} is not modelled"),
        }
    }
}
