//! Every statement of the catalogue against the portable subset: what runs on SQLite, PostgreSQL, and the engines that
//! speak its protocol.

use rampart_store::{STATEMENTS, Statement};

/// Words that only one engine knows, or that distributed engines do not.
const BANNED: &[&str] = &[
    "AUTOINCREMENT",
    "SERIAL",
    "IDENTITY",
    "NEXTVAL",
    "LISTEN",
    "NOTIFY",
    "ADVISORY",
    "LOCK",
    "TRIGGER",
    "RECURSIVE",
    "DEFERRABLE",
    "EXCLUDE",
    "GENERATED",
    "SKIP",
    "CTID",
    "XMIN",
    "OFFSET",
    "REPLACE",
    "GLOB",
    "ILIKE",
    "SIMILAR",
    "ARRAY",
    "UNNEST",
    "JSONB",
    "JSON",
    "LATERAL",
    "ROWID",
    "IFNULL",
    "DATETIME",
    "NOW",
    "STRFTIME",
    "USING",
    "TEMP",
    "FULL",
    "NATURAL",
    "CROSS",
    "RANDOM",
    "GEN_RANDOM_UUID",
    "FOR",
];

fn all() -> impl Iterator<Item = &'static Statement> {
    STATEMENTS.iter().copied().flatten().copied()
}

fn words(sql: &str) -> Vec<String> {
    sql.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '$')
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_uppercase)
        .collect()
}

#[test]
fn statements_have_names_of_their_own() {
    let mut names: Vec<_> = all().map(|statement| statement.name).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn no_statement_uses_a_word_that_only_some_engines_know() {
    for statement in all() {
        for word in words(statement.sql) {
            assert!(!BANNED.contains(&word.as_str()), "{} says {word}", statement.name);
        }
        assert!(!statement.sql.contains("::"), "{} casts as PostgreSQL alone does", statement.name);
        assert!(
            !statement.sql.contains('"') && !statement.sql.contains('`'),
            "{} quotes a name",
            statement.name
        );
    }
}

#[test]
fn parameters_are_numbered_in_the_order_of_their_first_appearance() {
    for statement in all() {
        let mut next = 1;
        for word in words(statement.sql) {
            if let Some(number) = word.strip_prefix('$') {
                let number: usize = number.parse().unwrap();
                assert!(number <= next, "{}: ${number} before ${next}", statement.name);
                next += usize::from(number == next);
            }
        }
        assert!(next <= 1001, "{} has too many parameters", statement.name);
    }
}

#[test]
fn upserts_name_their_key_and_take_the_excluded_row() {
    for statement in all().filter(|statement| statement.sql.contains("ON CONFLICT")) {
        let (_, conflict) = statement.sql.split_once("ON CONFLICT").unwrap();
        assert!(conflict.trim_start().starts_with("(part"), "{}", statement.name);
        let update = conflict.split_once("DO UPDATE SET");
        for assignment in update.map(|(_, list)| list.split(',')).into_iter().flatten() {
            let (column, value) = assignment.split_once('=').unwrap();
            assert_eq!(value.trim(), format!("excluded.{}", column.trim()), "{}", statement.name);
        }
    }
}

#[test]
fn every_write_names_its_partition_and_joins_stay_in_it() {
    for statement in all() {
        let sql = statement.sql;
        if sql.starts_with("UPDATE") || sql.starts_with("DELETE") {
            assert!(sql.contains("part = $"), "{}", statement.name);
        }
        if sql.starts_with("INSERT") {
            assert!(sql.contains("(part, "), "{}", statement.name);
        }
        for join in sql.split("JOIN").skip(1) {
            assert!(join.contains(".part = "), "{} joins across partitions", statement.name);
        }
    }
}

#[test]
fn every_list_has_an_order_and_an_end() {
    for statement in all().filter(|statement| statement.sql.contains("LIMIT")) {
        let one = statement.sql.trim_end().ends_with("LIMIT 1");
        assert!(one || statement.sql.contains("ORDER BY"), "{}", statement.name);
    }
}
