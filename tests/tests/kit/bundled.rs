//! Every component that ships goes as its vectors say, and no check finds anything.

use std::path::Path;

use countersign_kit::Kit;
use countersign_tests::bundled;

#[test]
fn each_component_goes_as_its_vectors_say_and_passes_every_check() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors");
    let example = countersign_bundle::example();
    for (name, component) in bundled().into_iter().chain([(example.name, example.bytes)]) {
        let kit = Kit::new(name, component).unwrap().cases_in(vectors.join(name)).unwrap();
        kit.run().assert();
    }
}
