use super::*;

#[test]
fn placeholder() {
    assert!(is_file_name("abandoned-cart"));
}
