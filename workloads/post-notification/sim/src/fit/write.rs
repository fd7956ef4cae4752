//! Writes fitted parameters into a model's text.

use toml_edit::{DocumentMut, Item, Value};

use super::conditions::FitError;
use super::report::{FitReport, ParameterChange};

impl FitReport {
    /// The model's text with the fitted values in it; everything else, comments too, stays as it was.
    ///
    /// # Errors
    /// When the text is not that of the model that was fitted.
    pub fn write(&self, model_text: &str) -> Result<String, FitError> {
        let mut document: DocumentMut =
            model_text.parse().map_err(|error: toml_edit::TomlError| FitError::Toml(error.message().to_owned()))?;
        for change in &self.parameters {
            set(&mut document, change).ok_or_else(|| FitError::Text(change.path.join(".")))?;
        }
        Ok(document.to_string())
    }
}

fn set(document: &mut DocumentMut, change: &ParameterChange) -> Option<()> {
    let mut item: &mut Item = document.as_item_mut();
    for name in &change.path {
        item = item.get_mut(name.as_str())?;
    }
    let in_text = match item.get("unit")?.as_str()? {
        "us" => change.after * 1e3,
        "s" => change.after / 1e3,
        _ => change.after,
    };
    let value = item.get_mut("value")?.as_value_mut()?;
    let decor = value.decor().clone();
    *value = Value::from(in_text);
    *value.decor_mut() = decor;
    Some(())
}
