//! What can be wrong with a signature, or with a key.

use ssh_key::{Algorithm, HashAlg};

/// What signatures of bundles are for, as SSH's signatures say it.
pub const SIGNATURE_NAMESPACE: &str = "matrix-bundle";

/// A signature that does not show who made the bundle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// It is no signature of SSH.
    #[error("the signature cannot be read: {0}")]
    Unreadable(ssh_key::Error),
    /// It was made for something other than bundles.
    #[error("the signature is for `{found}`, not for `{SIGNATURE_NAMESPACE}`")]
    OtherNamespace {
        /// What it was made for.
        found: String,
    },
    /// Its namespace has more bytes than the format can count.
    #[error("the signature's namespace is too long")]
    LongNamespace,
    /// None of the expected keys made it.
    #[error("the signature was made with another key, {fingerprint}")]
    OtherKey {
        /// The SHA-256 fingerprint of the key that did.
        fingerprint: String,
    },
    /// It was made of another file.
    #[error("the signature is not one of these bytes")]
    OtherBytes,
}

/// A key that cannot be used, or a signature of a kind that cannot be checked here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The private key is none of OpenSSH's.
    #[error("the private key cannot be read: {0}")]
    Unreadable(ssh_key::Error),
    /// The private key has a passphrase.
    #[error("the private key has a passphrase: sign with `ssh-keygen -Y sign -n matrix-bundle -f KEY FILE`")]
    Encrypted,
    /// The private key is of a type that cannot sign here.
    #[error("the private key is of type {0}: only ssh-ed25519 can be used here")]
    Type(Algorithm),
    /// Signing failed.
    #[error("signing: {0}")]
    Signing(String),
    /// A signature with SHA-1.
    #[error("a signature with SHA-1 cannot be checked here; `ssh-keygen -Y verify -n matrix-bundle` can")]
    Sha1,
    /// A signature with an RSA key of a length that is not supported.
    #[error(
        "a signature with an RSA key of {bits} bits cannot be checked here; `ssh-keygen -Y verify -n matrix-bundle` can"
    )]
    RsaBits {
        /// The key's length in bits.
        bits: usize,
    },
    /// A signature with a key of a type that is not supported.
    #[error("a signature with a key of type {0} cannot be checked here; `ssh-keygen -Y verify -n matrix-bundle` can")]
    SignatureType(Algorithm),
    /// A signature of a digest that is not supported.
    #[error("a signature of a {0} digest cannot be checked here")]
    DigestType(HashAlg),
    /// A line of a list of signers that cannot be used.
    #[error("signers, `{line}`: {what}")]
    Line {
        /// The line's beginning.
        line: String,
        /// What is wrong with it.
        what: LineError,
    },
    /// A list of signers without any.
    #[error("signers: there is no public key")]
    NoSigner,
    /// A list of signers of which none may sign bundles.
    #[error("signers: none of {lines} is for the namespace `{SIGNATURE_NAMESPACE}`")]
    NoSignerOfBundles {
        /// How many lines it has.
        lines: usize,
    },
}

/// What is wrong with a line of a list of signers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// Its key cannot be read.
    #[error("it is no public key: {0}")]
    NoKey(ssh_key::Error),
    /// It has an option that is not supported.
    #[error("this program knows the option namespaces=\"…\"; `ssh-keygen -Y verify` knows more")]
    UnknownOption,
}
