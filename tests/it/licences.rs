//! Licences of what is linked into the command: `scripts/licences`.

use std::process::Command;

use crate::workbench::{Printed, ended, here};

fn licences(args: &[&str]) -> Printed {
    ended(Command::new(here().join("scripts/licences")).args(args))
}

#[test]
fn every_package_that_is_linked_has_a_licence_on_the_list() {
    let printed = licences(&["check"]).code(0);
    assert!(printed.out.starts_with("licences: all ") && printed.out.len() > 40, "{printed:?}");
}

#[test]
fn a_licence_that_is_not_on_the_list_is_refused() {
    for met in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-3.0-only OR MIT",
        "Apache-2.0 WITH LLVM-exception",
        "(GPL-2.0-only OR MIT) AND Unicode-3.0",
    ] {
        licences(&["judge", met]).code(0);
    }
    for unmet in
        ["GPL-3.0-only", "MIT AND GPL-2.0-only", "(MIT AND SSPL-1.0) OR AGPL-3.0-only", "MIT WITH Odd-exception"]
    {
        assert!(licences(&["judge", unmet]).code(1).err.contains("not on the list"), "{unmet}");
    }
    for unread in ["", "MIT AND", "(MIT", "MIT MIT"] {
        assert!(licences(&["judge", unread]).code(1).err.contains("cannot be read"), "{unread}");
    }
}
