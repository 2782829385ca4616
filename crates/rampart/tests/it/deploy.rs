//! What `deploy/` says, held against the program: no variable that it does not know, no value that it refuses.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::program::{Outcome, Site};

fn read(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(name);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The settings of a text that has them as `NAME=VALUE`, among other words.
fn assignments(text: &str) -> BTreeMap<String, String> {
    let words = text.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace);
    let pairs = words.filter_map(|word| word.trim_start_matches("Environment=").split_once('='));
    let pairs = pairs.filter(|(name, _)| name.starts_with("RAMPART_"));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The documents of the manifest by their kind.
fn manifest() -> BTreeMap<String, Value> {
    let text = read("kubernetes.yaml");
    let documents = serde_yaml_ng::Deserializer::from_str(&text)
        .map(|document| serde::Deserialize::deserialize(document).unwrap())
        .map(|document: Value| (document["kind"].as_str().unwrap().to_owned(), document));
    documents.collect()
}

fn config_map(manifest: &BTreeMap<String, Value>) -> BTreeMap<String, String> {
    let data = manifest["ConfigMap"]["data"].as_object().unwrap().iter();
    // Kubernetes takes no numbers there.
    data.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

#[test]
fn its_settings_are_the_programs() {
    let site = Site::new();
    let manifest = manifest();
    for (place, settings) in [
        ("Dockerfile", assignments(&read("Dockerfile"))),
        ("rampart.service", assignments(&read("rampart.service"))),
        ("kubernetes.yaml", config_map(&manifest)),
    ] {
        assert!(settings.len() >= 4, "{place}: {settings:?}");
        let mut command = site.command(&["config"]);
        let shown = Outcome::of(command.envs(&settings));
        assert!(shown.succeeded, "{place}: {shown:?}");
        // In force, and not passed over.
        for value in settings.values() {
            assert!(shown.stdout.contains(value.as_str()), "{place}: {value} is not in {}", shown.stdout);
        }
        assert!(shown.stdout.contains("auth = \"strict\""), "{place}");
    }
}

#[test]
fn its_variables_are_those_that_help_names() {
    let site = Site::new();
    let help = site.run(&["serve", "--help"]).stdout;
    let is_of_name = |c: char| c.is_ascii_uppercase() || c == '_';
    let named: Vec<&str> = help.split(|c| !is_of_name(c)).collect();
    for place in ["Dockerfile", "rampart.service", "kubernetes.yaml", "README.md"] {
        let text = read(place);
        let used: Vec<_> =
            text.split(|c| !is_of_name(c)).filter(|name| name.starts_with("RAMPART_")).collect();
        assert!(!used.is_empty(), "{place}");
        for name in used {
            assert!(named.contains(&name), "{place}: {name}");
        }
    }
}

#[test]
fn the_manifests_probes_are_answered_where_they_ask() {
    let manifest = manifest();
    assert!(["Deployment", "Service", "PodDisruptionBudget"].iter().all(|kind| manifest.contains_key(*kind)));
    let settings = config_map(&manifest);
    let spec = &manifest["Deployment"]["spec"];
    assert_eq!(spec["replicas"], 2);
    let container = &spec["template"]["spec"]["containers"][0];
    let ports = container["ports"].as_array().unwrap();
    for (name, setting) in [("api", "RAMPART_LISTEN"), ("admin", "RAMPART_ADMIN_LISTEN")] {
        let port = ports.iter().find(|port| port["name"] == name).unwrap();
        assert_eq!(settings[setting], format!("0.0.0.0:{}", port["containerPort"]));
    }
    for (probe, path) in
        [("startupProbe", "/healthz"), ("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")]
    {
        let asked = &container[probe]["httpGet"];
        assert_eq!((&asked["path"], &asked["port"]), (&path.into(), &"admin".into()), "{probe}");
    }
    // Nobody is killed while he waits for the store.
    let startup = &container["startupProbe"];
    let patience = startup["periodSeconds"].as_u64().unwrap() * startup["failureThreshold"].as_u64().unwrap();
    assert!(patience > settings["RAMPART_WAIT_FOR_STORE"].parse().unwrap());
    let selector = &manifest["Service"]["spec"]["selector"];
    assert_eq!(&spec["template"]["metadata"]["labels"], selector);
    assert_eq!(&manifest["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"], selector);
}
