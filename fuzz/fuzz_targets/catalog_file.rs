//! An operator's catalog: any text makes a catalog that is sound in itself, or is refused with a place in the text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rampart_core::Arn;
use rampart_core::catalog::Catalog;
use rampart_policy::Template;

fuzz_target!(|text: &str| {
    let catalog = match Catalog::with_file(text) {
        Ok(catalog) => catalog,
        Err(error) => {
            let lines = text.matches('\n').count() + 1;
            assert!((1..=lines).contains(&error.line), "{error}");
            assert!((1..=text.len() + 1).contains(&error.column), "{error}");
            return;
        }
    };
    assert!(catalog.types().len() >= Catalog::embedded().types().len());
    for entry in catalog.types() {
        assert_eq!(catalog.type_named(&entry.name).map(|found| &found.name), Some(&entry.name));
        let Some(default) = catalog.default_permission(&entry.name) else { continue };
        assert_eq!(default.resource_type, entry.name);
        let templates = default.templates(default.default_version()).expect("a default has a version");
        assert!(templates.iter().all(|template| Template::parse(template).is_ok()), "{}", default.name);
    }
    let _ = Arn::parse(text).map(|arn| catalog.type_of(&arn).is_some());
});
