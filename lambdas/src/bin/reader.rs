//! The reader's function: the `bootstrap` of its package.

use matrix_lambdas::FunctionConfig;
use matrix_lambdas::aws::function_config;
use matrix_lambdas::config::environment;
use matrix_lambdas::function::{FunctionError, ReaderFunction, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), FunctionError> {
    let variables = environment();
    let config = FunctionConfig::from_variables(&variables)?;
    let function = ReaderFunction::new(config, &function_config(&variables)?)?;
    serve(&function).await
}
