//! The loop that takes invocations from the Lambda service.
#![allow(async_fn_in_trait, reason = "functions are current-thread: no Send bound is wanted")]

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use matrix_app::{ReaderError, StorageError, WriterError};
use serde_json::value::RawValue;

use crate::config::ConfigError;

/// What a function does with one invocation.
pub trait Function {
    /// Takes the payload of an invocation and gives the answer, both JSON.
    ///
    /// # Errors
    /// When the invocation is to count as failed.
    async fn handle(&self, payload: &[u8]) -> Result<Vec<u8>, FunctionError>;
}

/// A function that could not start, or an invocation that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FunctionError {
    /// The environment is not complete.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The system has no randomness to give.
    #[error("randomness: {0}")]
    Entropy(#[from] getrandom::Error),
    /// The writer failed.
    #[error(transparent)]
    Writer(#[from] WriterError),
    /// The reader failed.
    #[error(transparent)]
    Reader(#[from] ReaderError),
    /// Cleaning or counting failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// An answer is not JSON.
    #[error("the answer: {0}")]
    Answer(#[from] serde_json::Error),
    /// The Lambda service ended the loop.
    #[error("the Lambda runtime: {0}")]
    Runtime(String),
}

impl FunctionError {
    /// The failure's name in the Lambda service.
    fn name(&self) -> &'static str {
        match self {
            Self::Config(_) => "Config",
            Self::Entropy(_) => "Entropy",
            Self::Writer(_) => "Writer",
            Self::Reader(_) => "Reader",
            Self::Storage(_) => "Storage",
            Self::Answer(_) => "Answer",
            Self::Runtime(_) => "Runtime",
        }
    }
}

impl From<FunctionError> for Diagnostic {
    fn from(error: FunctionError) -> Self {
        Self { error_type: error.name().to_owned(), error_message: error.to_string() }
    }
}

/// Serves invocations, one after the other, until the process is ended.
///
/// # Errors
/// When the Lambda service cannot be reached.
pub async fn serve(function: &impl Function) -> Result<(), FunctionError> {
    let answer = async |invocation: LambdaEvent<Box<RawValue>>| -> Result<Box<RawValue>, FunctionError> {
        // Boxed once an invocation: the type of a chain of AWS calls is too deep for the compiler otherwise.
        let answer = Box::pin(function.handle(invocation.payload.get().as_bytes())).await?;
        Ok(serde_json::from_slice(&answer)?)
    };
    let service = service_fn(answer);
    lambda_runtime::run(service).await.map_err(|error| FunctionError::Runtime(error.to_string()))
}
