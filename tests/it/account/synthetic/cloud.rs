//! The synthetic CloudFormation: stacks that take time, fail, and are shown late.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::faults::Faults;
use super::values::Scope;

/// Region and name of a stack.
pub(super) type Id = (String, String);

/// An event of a stack: resource, status, reason.
pub(super) type Event = (String, &'static str, String);

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stack {
    pub(super) arn: String,
    pub(super) status: &'static str,
    pub(super) template: Value,
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) outputs: BTreeMap<String, String>,
    /// Time of the last change.
    pub(super) changed_at: u32,
    /// The newest last.
    pub(super) events: Vec<Event>,
    /// Looks until what goes on is done.
    left: u32,
    /// Looks that still show what was before; `None`: nothing.
    stale: u32,
    before: Option<Box<Stack>>,
    fails: Option<(String, String)>,
}

/// What the stacks of a cloud are made of, whatever happened on the way.
pub(super) type Made = BTreeMap<Id, (Value, BTreeMap<String, String>, BTreeMap<String, String>)>;

#[derive(Default)]
pub(super) struct Cloud {
    pub(super) stacks: BTreeMap<Id, Stack>,
    /// What was done, in order.
    pub(super) story: Vec<String>,
    pub(super) faults: Faults,
    gone: BTreeSet<String>,
    clock: u32,
}

/// An error: code and message.
pub(super) type Refused = (&'static str, String);

impl Cloud {
    pub(super) fn made(&self) -> Made {
        let of = |(id, stack): (&Id, &Stack)| {
            assert!(
                stack.status.ends_with("E_COMPLETE") && !stack.status.starts_with("ROLLBACK"),
                "{id:?}: {}",
                stack.status
            );
            (id.clone(), (stack.template.clone(), stack.parameters.clone(), stack.outputs.clone()))
        };
        self.stacks.iter().map(of).collect()
    }

    fn tell(&mut self, what: &str, id: &Id) {
        self.story.push(format!("{what} {} in {}", id.1, id.0));
    }

    pub(super) fn create(
        &mut self,
        id: &Id,
        template: Value,
        parameters: BTreeMap<String, String>,
        tags: BTreeMap<String, String>,
    ) -> Result<String, Refused> {
        if self.stacks.contains_key(id) {
            return Err(("AlreadyExistsException", format!("Stack [{}] already exists", id.1)));
        }
        assert!(parameters.values().all(|value| !value.is_empty()), "{parameters:?}");
        self.clock += 1;
        let arn = format!("arn:aws:cloudformation:{}:123456789012:stack/{}/{}", id.0, id.1, self.clock);
        let fails = self.faults.refuse(&id.1);
        let stack = Stack {
            arn: arn.clone(),
            status: "CREATE_IN_PROGRESS",
            template,
            parameters,
            tags,
            outputs: BTreeMap::new(),
            changed_at: self.clock,
            events: vec![(id.1.clone(), "CREATE_IN_PROGRESS", "User Initiated".into())],
            left: self.faults.looks,
            stale: self.faults.stale,
            before: None,
            fails,
        };
        self.stacks.insert(id.clone(), stack);
        self.tell("create", id);
        Ok(arn)
    }

    pub(super) fn update(
        &mut self,
        id: &Id,
        template: Value,
        parameters: BTreeMap<String, String>,
        tags: BTreeMap<String, String>,
    ) -> Result<String, Refused> {
        self.clock += 1;
        let (now, stale, looks) = (self.clock, self.faults.stale, self.faults.looks);
        let stack = self.stacks.get_mut(id).ok_or(("ValidationError", format!("Stack [{}] does not exist", id.1)))?;
        if stack.status.ends_with("_IN_PROGRESS") {
            return Err(("ValidationError", format!("Stack is in {} state and can not be updated.", stack.status)));
        }
        let before = Some(Box::new(Stack { before: None, ..stack.clone() }));
        let events = vec![(id.1.clone(), "UPDATE_IN_PROGRESS", "User Initiated".into())];
        let arn = stack.arn.clone();
        *stack = Stack {
            status: "UPDATE_IN_PROGRESS",
            template,
            parameters,
            tags,
            changed_at: now,
            events,
            left: looks,
            stale,
            before,
            ..stack.clone()
        };
        self.tell("update", id);
        Ok(arn)
    }

    /// What keeps a stack from being deleted: those who use what it gives. A global datastore holds its members, which take
    /// its name: it goes first.
    fn held_by(&self, id: &Id) -> Option<String> {
        let holds = |stack: &Stack| has(stack, "AWS::ElastiCache::GlobalReplicationGroup");
        let stack = &self.stacks[id];
        let gives: BTreeSet<&String> = stack.outputs.values().collect();
        let uses = |other: &Stack| other.parameters.values().any(|value| gives.contains(value));
        let mut others = self.stacks.iter().filter(|(other, _)| *other != id);
        let takes_from =
            |other: &Stack| stack.parameters.values().any(|value| other.outputs.values().any(|it| it == value));
        let holder = others
            .find(|(_, other)| if holds(stack) { false } else { uses(other) || holds(other) && takes_from(other) });
        holder.map(|(other, _)| other.1.clone())
    }

    pub(super) fn delete(&mut self, name: &str, region: &str) -> Result<(), Refused> {
        let Some(id) = self.id_of(name, region) else { return Ok(()) };
        let held =
            self.held_by(&id).map(|by| ("Resource".to_owned(), format!("resource has a dependent object: {by}")));
        let fails = self.faults.hold(&id.1).or(held);
        self.tell("delete", &id);
        let (stale, looks) = (self.faults.stale, self.faults.looks);
        let stack = self.stacks.get_mut(&id).unwrap();
        let before = Some(Box::new(Stack { before: None, ..stack.clone() }));
        let events = vec![(id.1.clone(), "DELETE_IN_PROGRESS", "User Initiated".into())];
        *stack = Stack { status: "DELETE_IN_PROGRESS", events, left: looks, stale, before, fails, ..stack.clone() };
        Ok(())
    }

    fn id_of(&self, name: &str, region: &str) -> Option<Id> {
        let named = (region.to_owned(), name.to_owned());
        if self.stacks.contains_key(&named) {
            return Some(named);
        }
        self.stacks.iter().find(|(_, stack)| stack.arn == name).map(|(id, _)| id.clone())
    }

    /// The stack as it is shown: time passes with each look.
    pub(super) fn look(&mut self, name: &str, region: &str) -> Result<(Id, Stack), Refused> {
        let missing = || ("ValidationError", format!("Stack with id {name} does not exist"));
        let Some(id) = self.id_of(name, region) else {
            assert!(!name.starts_with("arn:") || self.gone.contains(name), "{name} never was");
            return Err(missing());
        };
        let stack = self.stacks.get_mut(&id).unwrap();
        if stack.stale > 0 {
            stack.stale -= 1;
            return stack.before.as_deref().map(|before| (id, before.clone())).ok_or_else(missing);
        }
        if stack.left > 0 {
            stack.left -= 1;
        } else {
            self.settle(&id);
        }
        let stack = self.stacks.get(&id).ok_or_else(missing)?;
        Ok((id, stack.clone()))
    }

    /// Ends what goes on with a stack.
    fn settle(&mut self, id: &Id) {
        let stack = self.stacks.get_mut(id).unwrap();
        let failed = stack.fails.take();
        stack.status = match (stack.status, &failed) {
            ("CREATE_IN_PROGRESS", None) => "CREATE_COMPLETE",
            ("CREATE_IN_PROGRESS", Some(_)) => "ROLLBACK_IN_PROGRESS",
            ("ROLLBACK_IN_PROGRESS", _) => "ROLLBACK_COMPLETE",
            ("UPDATE_IN_PROGRESS", _) => "UPDATE_COMPLETE",
            ("DELETE_IN_PROGRESS", None) => "DELETE_COMPLETE",
            ("DELETE_IN_PROGRESS", Some(_)) => "DELETE_FAILED",
            (settled, _) => settled,
        };
        if let Some((resource, reason)) = failed {
            let word = if stack.status == "DELETE_FAILED" { "DELETE_FAILED" } else { "CREATE_FAILED" };
            stack.events.push((resource, word, reason));
            stack.events.push(("Another".into(), word, "Resource creation cancelled".into()));
        }
        match stack.status {
            "CREATE_COMPLETE" | "UPDATE_COMPLETE" if stack.outputs.is_empty() || stack.status == "UPDATE_COMPLETE" => {
                let parameters = stack.parameters.clone();
                let scope = Scope {
                    region: &id.0,
                    stack: &id.1,
                    resources: stack.template["Resources"].as_object().unwrap(),
                    parameters: &parameters,
                };
                let outputs = stack.template.get("Outputs").and_then(Value::as_object).cloned().unwrap_or_default();
                stack.outputs = outputs.iter().map(|(name, it)| (name.clone(), scope.text(&it["Value"]))).collect();
            }
            "DELETE_COMPLETE" => {
                let stack = self.stacks.remove(id).unwrap();
                self.gone.insert(stack.arn);
                self.tell("gone", id);
            }
            "DELETE_FAILED" => self.tell("held", id),
            _ => {}
        }
    }
}

fn has(stack: &Stack, kind: &str) -> bool {
    stack.template["Resources"].as_object().unwrap().values().any(|resource| resource["Type"] == kind)
}
