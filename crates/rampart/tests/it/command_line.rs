//! Settings and their sources, migrate, operations, and errors that say what to do next.

use serde_json::Value;

use crate::program::{Outcome, Site};

#[test]
fn the_settings_in_force_are_those_of_the_highest_source() {
    let site = Site::new();
    site.write(
        "rampart.toml",
        "auth = 'strict'\nlog = 'json'\nstore = 'sqlite:file.db'\nsettle-delay = '2s'\n",
    );
    let mut command = site.command(&["config", "--config", "rampart.toml", "--store", "sqlite:line.db"]);
    let outcome = Outcome::of(command.env("RAMPART_STORE", "sqlite:env.db").env("RAMPART_LOG", "text"));
    assert!(outcome.succeeded, "{outcome:?}");
    for line in [
        "auth = \"strict\"",
        "store = \"sqlite:line.db\"",
        "log = \"text\"",
        "settle-delay = \"2000ms\"",
        "listen = \"127.0.0.1:7266\"",
        "default-account = \"123456789012\"",
    ] {
        assert!(outcome.stdout.contains(line), "{line} is not in: {}", outcome.stdout);
    }
    // What is printed is a file that gives the same settings.
    site.write("printed.toml", &outcome.stdout);
    assert_eq!(site.run(&["config", "--config", "printed.toml"]).stdout, outcome.stdout);
}

#[test]
fn switches_and_lists_of_the_environment_and_the_command_line() {
    let site = Site::new();
    site.write("rampart.toml", "leave-any-type = true\n");
    let printed = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = site.command(&[&["config", "--config", "rampart.toml"], arguments].concat());
        let outcome = Outcome::of(command.envs(variables.iter().copied()));
        assert!(outcome.succeeded, "{outcome:?}");
        outcome.stdout
    };
    for (arguments, variables, line) in [
        (&[][..], &[][..], "leave-any-type = true"),
        (&["--leave-any-type=false"], &[], "leave-any-type = false"),
        (&["--leave-any-type"], &[("RAMPART_LEAVE_ANY_TYPE", "false")], "leave-any-type = true"),
        (&[], &[("RAMPART_LEAVE_ANY_TYPE", "0")], "leave-any-type = false"),
        (&[], &[("RAMPART_EMPTY_PAGES", "1")], "empty-pages = true"),
        (
            &["--quota", "resource-shares=9"],
            &[("RAMPART_QUOTA", "pending-invitations=7")],
            "pending-invitations = 7",
        ),
        (&["--quota", "resource-shares=9"], &[("RAMPART_QUOTA", "resource-shares=7")], "resource-shares = 9"),
        (
            &["--retention", "event=500ms"],
            &[("RAMPART_RETENTION", "deleted-share=1h")],
            "deleted-share = \"3600s\"",
        ),
        (&["--retention", "event=500ms"], &[], "event = \"500ms\""),
        // The one variable that is not ours alone.
        (&[], &[("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem")], "otlp-ca = \"/ca.pem\""),
        (&["--otlp-endpoint", "https://host:4318/"], &[], "otlp-endpoint = \"https://host:4318\""),
    ] {
        let stdout = printed(arguments, variables);
        assert!(stdout.lines().any(|printed| printed == line), "{line} is not in: {stdout}");
    }
}

#[test]
fn passwords_are_not_printed() {
    let site = Site::new();
    for url in ["postgres://me:hunter2@db.example/rampart", "postgres:///rampart?host=/run&password=hunter2"]
    {
        let outcome = site.run(&["config", "--store", url]);
        assert!(outcome.succeeded && outcome.stdout.contains("***"), "{outcome:?}");
        assert!(!outcome.stdout.contains("hunter2"), "{outcome:?}");
    }
    // Nor by an error, nor by the help of somebody who has it in the environment.
    let mut help = site.command(&["serve", "--help"]);
    let help = Outcome::of(help.env("RAMPART_STORE", "postgres://me:hunter2@db.example/rampart"));
    assert!(help.succeeded && !help.stdout.contains("hunter2"), "{help:?}");
    let url = "postgres://me:hunter2@127.0.0.1:1/rampart?connect_timeout=1";
    let refused = site.run(&["migrate", "--store", url, "--wait-for-store", "1"]);
    refused.assert_failed(&["postgres://me:***@127.0.0.1:1/rampart"]);
    assert!(!refused.stderr.contains("hunter2"), "{refused:?}");
}

#[test]
fn errors_say_what_to_do() {
    let site = Site::new();
    site.write("unknown.toml", "lisen = '127.0.0.1:1'\n");
    site.write("broken.toml", "listen = \n");
    site.write("catalog.json", "{\n \"permissions\": [{\"name\": \"x\", \"nome\": 1}]}");
    let cases: &[(&[&str], &[&str])] = &[
        (
            &["serve", "--catalog", "catalog.json"],
            &["catalog.json is not a valid catalog: line 2, column 37: unknown field `nome`"],
        ),
        (&["catalog", "--catalog", "catalog.json"], &["line 2, column 37"]),
        (&["serve", "--catalog", "absent.json"], &["cannot read absent.json"]),
        (&["serve", "--listen", "0.0.0.0:0"], &["rampart: ", "loopback", "--auth strict"]),
        (&["serve", "--listen", "[::]:0"], &["--auth strict"]),
        (&["config", "--config", "unknown.toml"], &["unknown.toml", "lisen", "listen"]),
        (&["config", "--config", "broken.toml"], &["broken.toml"]),
        (&["config", "--config", "absent.toml"], &["absent.toml"]),
        (&["config", "--store", "rampart.db"], &["sqlite:PATH", "postgres://"]),
        (&["config", "--store", "postgres://h/d?sslmode=verify-ca"], &["verify-full", "'verify-ca'"]),
        (&["serve", "--tls-cert", "absent.pem"], &["tls-cert and tls-key go together"]),
        (
            &["serve", "--listen", "127.0.0.1:0", "--tls-cert", "absent.pem", "--tls-key", "absent.key"],
            &["absent.pem"],
        ),
        (&["config", "--settle-delay", "soon"], &["0s, 500ms", "'soon'"]),
        (&["config", "--store-connections", "0"], &["between 1 and 1000"]),
        (&["config", "--store-partitions", "2000"], &["between 1 and 1024"]),
        (&["config", "--auth", "none"], &["open", "strict"]),
        (&["config", "--default-account", "12"], &["--default-account"]),
        (&["serve", "--log-level", "===="], &["log-level"]),
        (&["serve", "--log-level", "warning"], &["off, error, warn, info, debug, trace", "'warning'"]),
        (&["config", "--wait-for-store", "long"], &["wait-for-store", "'long'"]),
        (&["migrate", "--store", "postgres://h/d?colour=red"], &["unknown option `colour`"]),
        (&["migrate", "--store", "postgres://h:99999/d"], &["invalid value for option `port`"]),
        (&["serve", "--store", "sqlite:absent/rampart.db"], &["absent/rampart.db"]),
        (&["key", "disable", "AKIA"], &["'AKIA'"]),
        (&["key", "create", "--account", "12"], &["--account"]),
        (&["key", "create", "--account", "111111111111", "--user", "a b"], &["letters"]),
        (&["key", "create", "--account", "111111111111", "--master-key-file", "absent.key"], &["absent.key"]),
        (&["nothing"], &["nothing"]),
    ];
    for (arguments, words) in cases {
        site.run(arguments).assert_failed(words);
    }
    let mut command = site.command(&["key", "create", "--account", "111111111111"]);
    let refused = Outcome::of(command.env("RAMPART_MASTER_KEY", "short"));
    refused.assert_failed(&["RAMPART_MASTER_KEY", "32 bytes in base64"]);
}

#[test]
fn a_taken_address_is_named() {
    let site = Site::new();
    let server = site.serve(&[]);
    let address = server.address().to_string();
    let other = site.run(&["serve", "--listen", &address, "--store", "sqlite:other.db"]);
    other.assert_failed(&["cannot listen on", &address]);
    assert_eq!(other.stderr.matches("Address already in use").count(), 1, "{other:?}");
    let tls = ["serve", "--listen", "127.0.0.1:0", "--tls-cert", "absent.pem", "--tls-key", "absent.key"];
    let absent = site.run(&[&tls[..], &["--store", "sqlite:other.db"]].concat());
    assert_eq!(absent.stderr.matches("No such file").count(), 1, "{absent:?}");
    let directory = site.run(&["import", ".", "--store", "sqlite:other.db"]);
    assert_eq!(directory.stderr.matches("Is a directory").count(), 1, "{directory:?}");
}

#[test]
fn migrate_says_what_it_did() {
    let site = Site::new();
    let first = site.run(&["migrate"]);
    assert!(first.succeeded && first.stdout.contains("from version 0 to "), "{first:?}");
    let again = site.run(&["migrate"]);
    assert!(again.succeeded && again.stdout.contains("is up to date"), "{again:?}");
    assert!(site.path().join("rampart.db").is_file());
}

#[test]
fn operations_are_listed() {
    let site = Site::new();
    let listed = site.json(&["operations", "--output", "json"]);
    let works = |line: &&Value| line["Works"] == true;
    let of =
        |service: &str| listed.as_array().unwrap().iter().filter(|line| line["Service"] == service).collect();
    let ram: Vec<&Value> = of("ram");
    assert_eq!(ram.len(), 36);
    assert!(ram.into_iter().filter(works).count() >= 10);
    let sts: Vec<&Value> = of("sts");
    assert!(sts.iter().any(|line| line["Operation"] == "GetCallerIdentity" && line["Works"] == true));
    let text = site.run(&["operations"]).stdout;
    assert!(
        text.lines().any(|line| line.starts_with("ram            AcceptResourceShareInvitation ")
            && line.ends_with("works"))
    );
}

#[test]
fn the_catalog_is_listed_with_what_is_ones_own() {
    let site = Site::new();
    site.write(
        "own.json",
        r#"{"permissions": [{"name": "Firewalls", "resourceType": "network-firewall:Firewall",
            "isResourceTypeDefault": true, "versions": [{"actions": ["network-firewall:DescribeFirewall"]}]}]}"#,
    );
    let default = |listed: &Value| {
        let lines = listed.as_array().unwrap();
        assert_eq!(lines.len(), 90);
        let firewall = lines.iter().find(|line| line["ResourceType"] == "network-firewall:Firewall");
        firewall.unwrap()["DefaultPermission"].clone()
    };
    assert_eq!(default(&site.json(&["catalog", "--output", "json"])), Value::Null);
    let own = site.json(&["catalog", "--output", "json", "--catalog", "own.json"]);
    assert_eq!(default(&own), "Firewalls");
    site.write("rampart.toml", "catalog = 'own.json'\n");
    assert_eq!(site.json(&["catalog", "--output", "json", "--config", "rampart.toml"]), own);
    let mut command = site.command(&["catalog"]);
    let text = Outcome::of(command.env("RAMPART_CATALOG", "own.json")).stdout;
    let line = text.lines().find(|line| line.contains("Firewalls")).unwrap();
    assert!(line.contains("documented") && line.ends_with("Firewalls (default)"), "{line}");
}
