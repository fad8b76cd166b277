use super::{binaries, targets};
use crate::project::Project;

#[test]
fn targets_are_the_binaries_and_nothing_else() {
    let manifest = r#"
        [package]
        name = "fuzz"

        [[bin]]
        name = "sse"
        path = "targets/sse.rs"

        [dependencies]
        name = "1"

        [[bin]]
        path = "targets/gemini.rs"
        name="gemini"
    "#;
    assert_eq!(binaries(manifest), ["sse", "gemini"]);
}

#[test]
fn every_target_has_its_file_and_seeds() {
    let project = Project::find().unwrap();
    let targets = targets(&project).unwrap();
    assert!(targets.len() >= 4);
    for target in targets {
        let fuzz = project.root().join("fuzz");
        assert!(fuzz.join(format!("targets/{target}.rs")).is_file(), "{target} has no file");
        assert!(fuzz.join(format!("seeds/{target}")).is_dir(), "{target} has no seeds");
    }
}
