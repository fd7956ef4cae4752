//! Signatures that `ssh-keygen -Y verify` accepts too.

use std::io::{ErrorKind, Read};

use sha2::{Sha256, Sha512};
use signature::{Signer as _, Verifier as _};
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, PublicKey, SshSig};

use crate::error::BundleError;

/// What signatures of bundles are for, as SSH's signatures say it.
pub const SIGNATURE_NAMESPACE: &str = "matrix-bundle";

/// Who is expected to have signed.
#[derive(Clone, Debug)]
pub struct Signer {
    keys: Vec<PublicKey>,
}

impl Signer {
    /// Reads public keys: lines like `ssh-ed25519 AAAA… comment`, or those of an `allowed_signers` file, whose first word
    /// names who it is (`ssh-keygen` knows more of these files than this: a line with options is refused here).
    ///
    /// # Errors
    /// When a line is neither, or there is none.
    pub fn parse(text: &str) -> Result<Self, BundleError> {
        let mut keys = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let key = if line.starts_with("ssh-") {
                line
            } else {
                line.split_once(char::is_whitespace).map_or("", |(_, key)| key.trim_start())
            };
            let key =
                PublicKey::from_openssh(key).map_err(|error| bad(format!("`{line}` is no public key: {error}")))?;
            keys.push(key);
        }
        if keys.is_empty() { Err(bad("there is no public key")) } else { Ok(Self { keys }) }
    }
}

/// Signs the bytes of a bundle with an OpenSSH private key (Ed25519, without a passphrase); the signature goes into
/// `FILE.sig`. `key` is the text of the key's file.
///
/// # Errors
/// When the key cannot be used, or the bytes cannot be read.
pub fn sign(bundle: impl Read, key: &str) -> Result<String, BundleError> {
    let key = PrivateKey::from_openssh(key).map_err(|error| bad(format!("the private key cannot be read: {error}")))?;
    if key.is_encrypted() {
        return Err(bad(
            "the private key has a passphrase: sign with `ssh-keygen -Y sign -n matrix-bundle -f KEY FILE`",
        ));
    }
    if key.algorithm() != Algorithm::Ed25519 {
        let name = key.algorithm();
        return Err(bad(format!("the private key is of type {name}: only ssh-ed25519 can be used here")));
    }
    let blob = signed_bytes(bundle, SIGNATURE_NAMESPACE, HashAlg::Sha512)?;
    let failed = |error: &dyn std::fmt::Display| bad(format!("signing: {error}"));
    let signature = key.try_sign(&blob).map_err(|error| failed(&error))?;
    let public = key.public_key().key_data().clone();
    SshSig::new(public, SIGNATURE_NAMESPACE, HashAlg::Sha512, signature)
        .and_then(|signature| signature.to_pem(LineEnding::LF))
        .map_err(|error| failed(&error))
}

/// Checks that one of `signer`'s keys made the signature of a bundle's bytes.
///
/// # Errors
/// When it did not, or the bytes cannot be read.
pub fn verify_signature(bundle: impl Read, signature: &str, signer: &Signer) -> Result<(), BundleError> {
    let signature = parse_signature(signature.as_bytes())?;
    if signature.namespace() != SIGNATURE_NAMESPACE {
        return Err(bad(format!("the signature is for `{}`, not for `{SIGNATURE_NAMESPACE}`", signature.namespace())));
    }
    if !signer.keys.iter().any(|key| key.key_data() == signature.public_key()) {
        let found = signature.public_key().fingerprint(HashAlg::Sha256);
        return Err(bad(format!("the signature was made with another key, {found}")));
    }
    let blob = signed_bytes(bundle, signature.namespace(), signature.hash_alg())?;
    signature
        .public_key()
        .verify(&blob, signature.signature())
        .map_err(|_| bad("the signature is not one of these bytes"))
}

/// Reads a signature.
pub(crate) fn parse_signature(text: &[u8]) -> Result<SshSig, BundleError> {
    SshSig::from_pem(text).map_err(|error| bad(format!("the signature cannot be read: {error}")))
}

/// What is signed: the namespace and a digest of the bytes, framed as OpenSSH's `PROTOCOL.sshsig` says.
fn signed_bytes(input: impl Read, namespace: &str, algorithm: HashAlg) -> Result<Vec<u8>, BundleError> {
    let (name, digest): (&str, Vec<u8>) = match algorithm {
        HashAlg::Sha512 => ("sha512", hash::<Sha512>(input)?),
        HashAlg::Sha256 => ("sha256", hash::<Sha256>(input)?),
        other => return Err(bad(format!("the signature's digest {other} is not known here"))),
    };
    let mut bytes = b"SSHSIG".to_vec();
    for field in [namespace.as_bytes(), b"", name.as_bytes(), &digest] {
        let length = u32::try_from(field.len()).map_err(|_| bad("the signature's namespace is too long"))?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(field);
    }
    Ok(bytes)
}

/// Hashes everything that is read, a piece at a time.
fn hash<D: sha2::Digest>(mut input: impl Read) -> Result<Vec<u8>, BundleError> {
    let mut hasher = D::new();
    let mut buffer = vec![0; 256 << 10];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finalize().to_vec()),
            Ok(count) => hasher.update(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(BundleError::io("reading the bundle")(error)),
        }
    }
}

fn bad(what: impl Into<String>) -> BundleError {
    BundleError::Signature(what.into())
}
