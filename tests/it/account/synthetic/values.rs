//! Values of a template's outputs, as resources of the published types would give them.

use std::collections::BTreeMap;

use serde_json::Value;

pub(super) const ACCOUNT: &str = "123456789012";

/// Where values are evaluated.
pub(super) struct Scope<'a> {
    pub(super) region: &'a str,
    pub(super) stack: &'a str,
    pub(super) resources: &'a serde_json::Map<String, Value>,
    pub(super) parameters: &'a BTreeMap<String, String>,
}

impl Scope<'_> {
    fn kind(&self, id: &str) -> &str {
        self.resources[id]["Type"].as_str().unwrap()
    }

    /// The physical id: the name where the template gives one.
    pub(super) fn physical(&self, id: &str) -> String {
        let properties = &self.resources[id]["Properties"];
        let named = ["BucketName", "RoleName", "TableName"].iter().find_map(|name| properties.get(name));
        let prefix = match self.kind(id) {
            "AWS::EC2::VPC" => Some("vpc"),
            "AWS::EC2::Subnet" => Some("subnet"),
            "AWS::EC2::SecurityGroup" => Some("sg"),
            _ => None,
        };
        if let Some(prefix) = prefix {
            let name = format!("{} {} {id}", self.region, self.stack);
            let digest = name.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
            return format!("{prefix}-{digest:017x}");
        }
        named.map_or_else(|| format!("syn-{}-{id}", self.stack), |name| self.text(name))
    }

    fn arn(&self, id: &str) -> String {
        let service = match self.kind(id).split("::").nth(1).unwrap() {
            "AmazonMQ" => "mq".to_owned(),
            other => other.to_lowercase(),
        };
        if self.kind(id) == "AWS::IAM::Role" {
            return format!("arn:aws:iam::{ACCOUNT}:role/{}", self.physical(id));
        }
        format!("arn:aws:{service}:{}:{ACCOUNT}:{}", self.region, self.physical(id))
    }

    /// What `Ref` gives, by the resource type's documentation.
    fn reference(&self, id: &str) -> String {
        match id {
            "AWS::Region" => return self.region.to_owned(),
            "AWS::AccountId" => return ACCOUNT.to_owned(),
            "AWS::Partition" => return "aws".to_owned(),
            _ => {}
        }
        if let Some(value) = self.parameters.get(id) {
            return value.clone();
        }
        match self.kind(id) {
            "AWS::SecretsManager::Secret" | "AWS::SNS::Topic" => self.arn(id),
            "AWS::SQS::Queue" => {
                format!("https://sqs.{}.amazonaws.com/{ACCOUNT}/{}", self.region, self.physical(id))
            }
            _ => self.physical(id),
        }
    }

    fn attribute(&self, id: &str, name: &str) -> Value {
        let host = format!("{}.{}.invalid", self.physical(id).to_lowercase(), self.region);
        match name {
            "Arn" => self.arn(id).into(),
            "StompEndpoints" => vec![format!("stomp+ssl://{host}:61614")].into(),
            "OpenWireEndpoints" => vec![format!("ssl://{host}:61617")].into(),
            address if address.ends_with(".Address") => host.into(),
            "GroupId" | "VpcId" | "SubnetId" => self.physical(id).into(),
            other => format!("{}.{other}", self.physical(id)).into(),
        }
    }

    pub(super) fn text(&self, value: &Value) -> String {
        match self.value(value) {
            Value::String(text) => text,
            other => other.to_string(),
        }
    }

    fn value(&self, value: &Value) -> Value {
        let Some((function, argument)) = value.as_object().filter(|it| it.len() == 1).and_then(|it| it.iter().next())
        else {
            return value.clone();
        };
        match function.as_str() {
            "Ref" => self.reference(argument.as_str().unwrap()).into(),
            "Fn::GetAtt" => self.attribute(argument[0].as_str().unwrap(), argument[1].as_str().unwrap()),
            "Fn::Select" => self.value(&argument[1])[argument[0].as_u64().unwrap() as usize].clone(),
            "Fn::Sub" => self.substituted(argument.as_str().unwrap()).into(),
            "Fn::Join" => {
                let parts: Vec<String> = argument[1].as_array().unwrap().iter().map(|part| self.text(part)).collect();
                parts.join(argument[0].as_str().unwrap()).into()
            }
            other => panic!("no template uses {other} in what is evaluated"),
        }
    }

    fn substituted(&self, text: &str) -> String {
        let mut parts = text.split("${");
        let mut done = parts.next().unwrap().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').unwrap();
            done += &match name.split_once('.') {
                Some((id, attribute)) => self.text(&self.attribute(id, attribute)),
                None => self.reference(name),
            };
            done += rest;
        }
        done
    }
}
