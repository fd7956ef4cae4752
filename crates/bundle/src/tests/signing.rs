//! Signatures, with OpenSSH's own program as the other side where it is installed.

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{ErrorKind, Signer, sign, verify_signature};

/// A key made for these tests, and used for nothing else.
const PRIVATE: &str = include_str!("test_key");
const PUBLIC: &str = include_str!("test_key.pub");

#[test]
fn a_signature_is_of_these_bytes_by_this_key() {
    let signature = sign(Cursor::new(b"a bundle"), PRIVATE).unwrap();
    assert_eq!(signature, sign(Cursor::new(b"a bundle"), PRIVATE).unwrap(), "the same every time");
    let signer = Signer::parse(PUBLIC).unwrap();
    verify_signature(Cursor::new(b"a bundle"), &signature, &signer).unwrap();
    let listed = Signer::parse(&format!("# who\nauthors@example.org {PUBLIC}")).unwrap();
    verify_signature(Cursor::new(b"a bundle"), &signature, &listed).unwrap();
    let error = |bytes: &'static [u8], signature: &str, signer: &Signer| {
        verify_signature(Cursor::new(bytes), signature, signer).unwrap_err().to_string()
    };
    assert_eq!(error(b"another", &signature, &signer), "the signature is not one of these bytes");
    let other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK8jmhYXTvDihflUTgiwfcef8dj2lbn0ovh3hKLYKCRB";
    let other = Signer::parse(other).unwrap();
    assert!(error(b"a bundle", &signature, &other).starts_with("the signature was made with another key, SHA256:"));
    assert!(error(b"a bundle", "no signature", &signer).starts_with("the signature cannot be read"));
    assert!(Signer::parse("").is_err());
    assert!(Signer::parse("who namespaces=\"x\" ssh-ed25519 AAAA").is_err());
}

/// A signature of `a bundle` that `ssh-keygen -Y sign` made, and its public key.
macro_rules! made_by_openssh {
    ($name:literal) => {
        (include_str!(concat!("signatures/", $name, ".sig")), include_str!(concat!("signatures/", $name, ".pub")))
    };
}

#[test]
fn signatures_with_keys_of_other_types_are_checked() {
    let all = [
        made_by_openssh!("rsa"),
        made_by_openssh!("ecdsa-256"),
        made_by_openssh!("ecdsa-384"),
        made_by_openssh!("ecdsa-521"),
    ];
    for (signature, public) in all {
        let signer = Signer::parse(public).unwrap();
        verify_signature(Cursor::new(b"a bundle"), signature, &signer).unwrap();
        let listed = format!("who@example.org namespaces=\"matrix-bundle\" {public}");
        verify_signature(Cursor::new(b"a bundle"), signature, &Signer::parse(&listed).unwrap()).unwrap();
        let error = verify_signature(Cursor::new(b"another"), signature, &signer).unwrap_err();
        assert_eq!(error.to_string(), "the signature is not one of these bytes");
        assert_eq!(error.kind(), ErrorKind::Integrity);
    }
}

#[test]
fn what_cannot_be_checked_is_no_forgery() {
    let (signature, public) = made_by_openssh!("rsa-1024");
    let error = verify_signature(Cursor::new(b"a bundle"), signature, &Signer::parse(public).unwrap()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    insta::assert_snapshot!(error.to_string(), @"a signature with an RSA key of 1024 bits cannot be checked here; `ssh-keygen -Y verify -n matrix-bundle` can");
}

#[test]
fn a_key_that_cannot_sign_is_bad_input() {
    for key in ["", "no key", PUBLIC] {
        let error = sign(Cursor::new(b"a bundle"), key).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Input, "{error}");
    }
}

fn run(program: &str, arguments: &[&str], directory: &Path, input: &Path) -> Option<bool> {
    let input = fs::File::open(input).unwrap();
    let mut command = Command::new(program);
    command.args(arguments).current_dir(directory).stdin(input).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().ok().map(|status| status.success())
}

#[test]
fn openssh_accepts_our_signatures_and_we_accept_its() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    fs::write(root.join("bundle"), b"a bundle").unwrap();
    fs::write(root.join("allowed"), format!("authors@example.org {PUBLIC}")).unwrap();
    fs::write(root.join("bundle.sig"), sign(Cursor::new(b"a bundle"), PRIVATE).unwrap()).unwrap();
    let check =
        ["-Y", "verify", "-f", "allowed", "-I", "authors@example.org", "-n", "matrix-bundle", "-s", "bundle.sig"];
    let Some(accepted) = run("ssh-keygen", &check, root, &root.join("bundle")) else {
        eprintln!("ssh-keygen is not installed: not tried");
        return;
    };
    assert!(accepted);
    fs::write(root.join("other"), b"another").unwrap();
    assert_eq!(run("ssh-keygen", &check, root, &root.join("other")), Some(false));

    fs::write(root.join("key"), PRIVATE).unwrap();
    #[cfg(unix)]
    fs::set_permissions(root.join("key"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    fs::remove_file(root.join("bundle.sig")).unwrap();
    let make = ["-Y", "sign", "-f", "key", "-n", "matrix-bundle", "bundle"];
    assert_eq!(run("ssh-keygen", &make, root, &root.join("bundle")), Some(true));
    let theirs = fs::read_to_string(root.join("bundle.sig")).unwrap();
    verify_signature(Cursor::new(b"a bundle"), &theirs, &Signer::parse(PUBLIC).unwrap()).unwrap();
    assert_eq!(theirs, sign(Cursor::new(b"a bundle"), PRIVATE).unwrap());
}
