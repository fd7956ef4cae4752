//! Signatures that `ssh-keygen -Y verify` accepts too.

use std::io::{ErrorKind, Read};
use std::ops::RangeInclusive;

use sha2::{Sha256, Sha512};
use signature::{Signer as _, Verifier as _};
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, SshSig};

use crate::error::BundleError;
use crate::signature_error::{KeyError, SIGNATURE_NAMESPACE, SignatureError};
use crate::signer::Signer;

/// Signs the bytes of a bundle with an OpenSSH private key (Ed25519, without a passphrase); the signature goes into
/// `FILE.sig`. `key` is the text of the key's file.
///
/// # Errors
/// When the key cannot be used, or the bytes cannot be read.
pub fn sign(bundle: impl Read, key: &str) -> Result<String, BundleError> {
    let key = PrivateKey::from_openssh(key).map_err(KeyError::Unreadable)?;
    if key.is_encrypted() {
        return Err(KeyError::Encrypted.into());
    }
    if key.algorithm() != Algorithm::Ed25519 {
        return Err(KeyError::Type(key.algorithm()).into());
    }
    let blob = signed_bytes(bundle, SIGNATURE_NAMESPACE, HashAlg::Sha512)?;
    let failed = |error: &dyn std::fmt::Display| BundleError::from(KeyError::Signing(error.to_string()));
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
        return Err(SignatureError::OtherNamespace { found: signature.namespace().to_owned() }.into());
    }
    let key = signature.public_key();
    if !signer.has(key) {
        return Err(SignatureError::OtherKey { fingerprint: key.fingerprint(HashAlg::Sha256).to_string() }.into());
    }
    supported(key, &signature.algorithm())?;
    let blob = signed_bytes(bundle, signature.namespace(), signature.hash_alg())?;
    key.verify(&blob, signature.signature()).map_err(|_| SignatureError::OtherBytes.into())
}

/// Bits of an RSA key that can be used here.
const RSA_BITS: RangeInclusive<usize> = 2048..=4096;

/// Refuses signatures that cannot be checked here.
fn supported(key: &KeyData, algorithm: &Algorithm) -> Result<(), KeyError> {
    match (key, algorithm) {
        (KeyData::Rsa(_), Algorithm::Rsa { hash: None }) => Err(KeyError::Sha1),
        (KeyData::Rsa(key), _) => {
            let bits = key.n.as_positive_bytes().map_or(0, |bytes| {
                let zeros = bytes.first().map_or(0, |byte| byte.leading_zeros() as usize);
                bytes.len() * 8 - zeros
            });
            if RSA_BITS.contains(&bits) { Ok(()) } else { Err(KeyError::RsaBits { bits }) }
        }
        (KeyData::Ed25519(_) | KeyData::SkEd25519(_) | KeyData::Ecdsa(_) | KeyData::SkEcdsaSha2NistP256(_), _) => {
            Ok(())
        }
        _ => Err(KeyError::SignatureType(key.algorithm())),
    }
}

/// Reads a signature.
///
/// # Errors
/// When it is none.
pub fn parse_signature(text: &[u8]) -> Result<SshSig, BundleError> {
    Ok(SshSig::from_pem(text).map_err(SignatureError::Unreadable)?)
}

/// What is signed: the namespace and a digest of the bytes, framed as OpenSSH's `PROTOCOL.sshsig` says.
fn signed_bytes(input: impl Read, namespace: &str, algorithm: HashAlg) -> Result<Vec<u8>, BundleError> {
    let (name, digest): (&str, Vec<u8>) = match algorithm {
        HashAlg::Sha512 => ("sha512", hash::<Sha512>(input)?),
        HashAlg::Sha256 => ("sha256", hash::<Sha256>(input)?),
        other => return Err(KeyError::DigestType(other).into()),
    };
    let mut bytes = b"SSHSIG".to_vec();
    for field in [namespace.as_bytes(), b"", name.as_bytes(), &digest] {
        let length = u32::try_from(field.len()).map_err(|_| SignatureError::LongNamespace)?;
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
