//! That the model knows every operation: each occurs in its sequences, and comes to pass in some.

use std::collections::BTreeSet;

use rampart_server::operations::{ORGANIZATIONS, Operation, RAM};
use rampart_testkit::dice::Dice;

use crate::operation::find;
use crate::reads;
use crate::steps::{Call, Chooser, What};
use crate::world::{Caller, World};

/// Enough for what is rare; the model alone is quick.
const SEQUENCES: u64 = 2000;

#[test]
fn every_operation_occurs_in_the_sequences() {
    let mut occurred = BTreeSet::new();
    for seed in 0..SEQUENCES {
        alone(seed, &mut occurred);
    }
    let built = RAM.iter().chain(ORGANIZATIONS).filter(|operation| operation.is_built());
    let missing: Vec<String> = built.map(named).filter(|name| !occurred.contains(name)).collect();
    assert!(missing.is_empty(), "never called with success: {missing:#?}");
}

fn named(operation: &Operation) -> String {
    format!("{:?}:{}", operation.service, operation.name)
}

/// A sequence with the model and no server: notes what came to pass.
fn alone(seed: u64, occurred: &mut BTreeSet<String>) {
    let mut dice = Dice::seeded(seed);
    let mut world = World::default();
    for number in 1..=crate::STEPS {
        match (Chooser { dice: &mut dice, world: &world }).step(number, seed) {
            What::Advance(ms) => world.advance(ms),
            What::Sweep => world.sweep(),
            What::Call(call) => note(&mut world, &call, number, occurred),
        }
        let read = Chooser { dice: &mut dice, world: &world }.read();
        note(&mut world, &read, number, occurred);
    }
    for read in reads::all(&world) {
        note(&mut world, &read, 0, occurred);
    }
}

fn note(world: &mut World, call: &Call, number: usize, occurred: &mut BTreeSet<String>) {
    let who = Caller { account: &call.account, region: &call.region, number };
    if world.call(who, call.operation, &call.input).is_ok() {
        occurred.insert(named(find(call.operation)));
    }
}
