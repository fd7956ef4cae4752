//! From what stacks gave to `connection_info.yaml`.

use std::collections::BTreeSet;

use matrix_aws::SetupRequest;
use matrix_aws::setup::{self, OutputRef, Outputs, Parameter, SetupError};

use crate::requests::{all, full, stacks};

/// What the stacks of a request might give: every output that their templates have, and every answer.
fn given(request: &SetupRequest) -> Outputs {
    let mut outputs = Outputs::new();
    let mut give = |at: OutputRef| {
        let region = &at.stack.region;
        let value = match at.output.as_str() {
            "StompEndpoint" => format!("stomp+ssl://b-1.mq.{region}.amazonaws.com:61614"),
            "MysqlSecretArn" | "BrokerSecretArn" => {
                format!("arn:aws:secretsmanager:{region}:123456789012:secret:{}-a1b2c3", at.output)
            }
            output => format!("{output} of {} in {region}", at.stack.name),
        };
        outputs.entry(at.stack).or_default().insert(at.output, value);
    };
    for stack in stacks(request) {
        for output in stack.template["Outputs"].as_object().into_iter().flatten() {
            give(OutputRef { stack: stack.id.clone(), output: output.0.clone() });
        }
    }
    setup::lookups(request).unwrap().into_iter().for_each(|lookup| give(lookup.into));
    outputs
}

#[test]
fn the_connections_of_a_full_set_up() {
    let info = setup::connection_info(&full(), &given(&full())).unwrap();
    insta::assert_snapshot!("connections", info.to_yaml());
    assert_eq!(setup::lookups(&full()).unwrap().len(), 2);
}

/// And nothing is given that nobody takes.
#[test]
fn every_missing_value_is_named() {
    for request in all() {
        let complete = given(&request);
        let info = setup::connection_info(&request, &complete).unwrap();
        let stacks = stacks(&request);
        let passed_on: BTreeSet<OutputRef> = stacks
            .iter()
            .flat_map(|stack| stack.parameters.values())
            .filter_map(|value| match value {
                Parameter::Output(from) => Some(from.clone()),
                Parameter::Text(_) => None,
            })
            .collect();
        for (stack, values) in &complete {
            for output in values.keys() {
                let from = OutputRef { stack: stack.clone(), output: output.clone() };
                let mut less = complete.clone();
                less.get_mut(stack).unwrap().remove(output);
                match setup::connection_info(&request, &less) {
                    Ok(same) => {
                        assert_eq!(same, info);
                        // What a table was warmed for is for the next set-up.
                        assert!(passed_on.contains(&from) || output == "WriteUnits", "nobody takes {from:?}");
                    }
                    Err(error) => {
                        assert_eq!(error, SetupError::MissingOutput(from));
                        assert!(error.to_string().contains(output) && error.to_string().contains(&stack.name));
                    }
                }
            }
        }
    }
}

#[test]
fn a_value_of_another_form_is_named() {
    for (output, value) in
        [("StompEndpoint", "ssl://b-1.mq.amazonaws.com:61617"), ("BrokerSecretArn", "arn:aws:s3:::x")]
    {
        let mut outputs = given(&full());
        for values in outputs.values_mut() {
            if let Some(place) = values.get_mut(output) {
                *place = value.to_owned();
            }
        }
        let error = setup::connection_info(&full(), &outputs).unwrap_err();
        let SetupError::MalformedOutput { from, value: found, .. } = &error else { panic!("{error}") };
        assert_eq!((from.output.as_str(), found.as_str()), (output, value));
    }
}
