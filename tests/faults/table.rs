//! The table of the README and the tests of this folder: each row has a test, and each test a row.

use super::readme_table::assert_every_row_has_a_test_and_every_test_a_row;

#[test]
fn every_row_has_a_test_and_every_test_a_row() {
    assert_every_row_has_a_test_and_every_test_a_row("tests/faults");
}
