//! Signatures that `ssh-keygen -Y verify` accepts too.

use std::io::{ErrorKind, Read};
use std::ops::RangeInclusive;

use sha2::{Sha256, Sha512};
use signature::{Signer as _, Verifier as _};
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, SshSig};

use crate::error::BundleError;
use crate::signer::Signer;

/// What signatures of bundles are for, as SSH's signatures say it.
pub const SIGNATURE_NAMESPACE: &str = "matrix-bundle";

/// Signs the bytes of a bundle with an OpenSSH private key (Ed25519, without a passphrase); the signature goes into
/// `FILE.sig`. `key` is the text of the key's file.
///
/// # Errors
/// When the key cannot be used, or the bytes cannot be read.
pub fn sign(bundle: impl Read, key: &str) -> Result<String, BundleError> {
    let key =
        PrivateKey::from_openssh(key).map_err(|error| unfit(format!("the private key cannot be read: {error}")))?;
    if key.is_encrypted() {
        return Err(unfit(
            "the private key has a passphrase: sign with `ssh-keygen -Y sign -n matrix-bundle -f KEY FILE`",
        ));
    }
    if key.algorithm() != Algorithm::Ed25519 {
        let name = key.algorithm();
        return Err(unfit(format!("the private key is of type {name}: only ssh-ed25519 can be used here")));
    }
    let blob = signed_bytes(bundle, SIGNATURE_NAMESPACE, HashAlg::Sha512)?;
    let failed = |error: &dyn std::fmt::Display| unfit(format!("signing: {error}"));
    let signature = key.try_sign(&blob).map_err(|error| failed(&error))?;
    let public = key.public_key().key_data().clone();
    SshSig::new(public, SIGNATURE_NAMESPACE, HashAlg::Sha512, signature)
        .and_then(|signature| signature.to_pem(LineEnding::LF))
        .map_err(|error| failed(&error))
}

/// Checks that one of `signer`'s keys made the signature of a bundle's bytes.
///
/// # Errors
/// When it did not, the signature is of a kind that cannot be checked here, or the bytes cannot be read.
pub fn verify_signature(bundle: impl Read, signature: &str, signer: &Signer) -> Result<(), BundleError> {
    let signature = parse_signature(signature.as_bytes())?;
    if signature.namespace() != SIGNATURE_NAMESPACE {
        return Err(bad(format!("the signature is for `{}`, not for `{SIGNATURE_NAMESPACE}`", signature.namespace())));
    }
    let key = signature.public_key();
    if !signer.has(key) {
        let found = key.fingerprint(HashAlg::Sha256);
        return Err(bad(format!("the signature was made with another key, {found}")));
    }
    if let Some(what) = unsupported(key, &signature.algorithm()) {
        return Err(unfit(format!("{what} cannot be checked here; `ssh-keygen -Y verify -n matrix-bundle` can")));
    }
    let blob = signed_bytes(bundle, signature.namespace(), signature.hash_alg())?;
    key.verify(&blob, signature.signature()).map_err(|_| bad("the signature is not one of these bytes"))
}

/// Bits of an RSA key that can be used here.
const RSA_BITS: RangeInclusive<usize> = 2048..=4096;

/// What it is that cannot be checked here, if it cannot.
fn unsupported(key: &KeyData, algorithm: &Algorithm) -> Option<String> {
    match (key, algorithm) {
        (KeyData::Rsa(_), Algorithm::Rsa { hash: None }) => Some("a signature with SHA-1".to_owned()),
        (KeyData::Rsa(key), _) => {
            let bits = key.n.as_positive_bytes().map_or(0, |bytes| {
                let zeros = bytes.first().map_or(0, |byte| byte.leading_zeros() as usize);
                bytes.len() * 8 - zeros
            });
            (!RSA_BITS.contains(&bits)).then(|| format!("a signature with an RSA key of {bits} bits"))
        }
        (KeyData::Ed25519(_) | KeyData::SkEd25519(_) | KeyData::Ecdsa(_) | KeyData::SkEcdsaSha2NistP256(_), _) => None,
        _ => Some(format!("a signature with a key of type {}", key.algorithm())),
    }
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
        other => return Err(unfit(format!("a signature of a {other} digest cannot be checked here"))),
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

/// A key that cannot be used, or a signature of a kind that cannot be checked here.
fn unfit(what: impl Into<String>) -> BundleError {
    BundleError::Key(what.into())
}
