//! Any text is a template or an error; a template keeps its text and names its placeholders, and with values it is a
//! statement that can be read, within bounds.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use rampart_policy::grants::same_template_grants;
use rampart_policy::template::{Declaration, ParameterKind, RENDERED_LEN_MAX, TEMPLATE_LEN_MAX};
use rampart_policy::{Document, Template};

fuzz_target!(|text: &str| {
    let Ok(template) = Template::parse(text) else { return };
    assert_eq!(template.text(), text);
    assert!(text.len() <= TEMPLATE_LEN_MAX);
    assert!(!template.actions().is_empty());
    let again = Template::parse(template.text()).expect("the same text is a template again");
    assert_eq!(again, template);
    assert!(same_template_grants(&template, &template));
    for kind in [ParameterKind::String, ParameterKind::StringList] {
        render(&template, kind);
    }
});

fn render(template: &Template, kind: ParameterKind) {
    let declared: Vec<_> = template.placeholders().map(|name| Declaration { name, kind }).collect();
    if template.check_declarations(&declared).is_err() {
        return;
    }
    let values = ["v", "@{v}\"\\"];
    let count = if kind == ParameterKind::String { 1 } else { 2 };
    let given =
        |name: &str| (name.to_owned(), values[..count].iter().map(|&value| value.to_owned()).collect());
    let given: BTreeMap<String, Vec<String>> = template.placeholders().map(given).collect();
    let (Ok(statement), Ok(text)) =
        (template.render(&declared, &given), template.render_text(&declared, &given))
    else {
        return;
    };
    assert!(text.len() <= RENDERED_LEN_MAX, "{}", text.len());
    for statement in [text, statement.to_json()] {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":{statement}}}"#);
        Document::parse(&text).expect("a template with its values is a statement");
    }
}
