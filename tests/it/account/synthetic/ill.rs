//! What is said of things that were deleted by hand, of calls that policies deny, and of credentials that one service refuses
//! while others take them.

use super::lab::Lab;

/// The lines about something: each finding and its fix.
fn about<'a>(findings: &'a str, what: &str) -> Vec<&'a str> {
    let lines: Vec<&str> = findings.lines().collect();
    let at = lines.iter().position(|line| line.contains(what)).unwrap_or_else(|| panic!("{what}: {findings}"));
    let fixes = lines[at + 1..].iter().take_while(|line| line.trim_start().starts_with("->"));
    [lines[at]].into_iter().chain(fixes.copied()).collect()
}

#[test]
fn a_synthetic_set_up_that_lost_a_part_says_which_to_the_doctor_and_to_set_up() {
    let lab = Lab::new();
    lab.set_up("mysql,sns", &[]).code(0);
    let well = lab.matrix(&["aws", "doctor"]).out;
    let parts = ["queue of evaluations ", "SNS topic ", "code bucket ", "the functions' role "];
    for part in parts {
        assert!(about(&well, part)[0].starts_with("ok "), "{well}");
    }
    for part in parts {
        // Its name stands behind what it is.
        let name = about(&well, part)[0].split(part).nth(1).unwrap().split([' ', ':']).next().unwrap().to_owned();
        lab.cloud().faults.deleted = [name.clone()].into();
        let role = part.contains("role");
        let ill = lab.matrix(&["aws", "doctor"]).code(if role { 0 } else { 3 }).out;
        // An emulator need not know roles: it cannot tell.
        let verdict = if role { "not checked" } else { "problem" };
        let [line, fix] = about(&ill, &format!("{part}{name}"))[..] else { panic!("{ill}") };
        assert!(line.starts_with(verdict), "{ill}");
        assert!(fix.contains(if role { "get-role" } else { "`matrix aws clean` and `matrix aws setup`" }), "{ill}");
        if !role {
            let refused = lab.set_up("mysql,sns", &[]).code(3).err;
            // Lines are broken where they are long.
            let said: String = refused.chars().filter(|c| !c.is_whitespace() && *c != '|').collect();
            assert!(said.contains(&name) && said.contains("deletedbyhand"), "{refused}");
        }
    }
}

#[test]
fn what_synthetic_policies_deny_is_not_checked_and_names_the_call() {
    let lab = Lab::new();
    lab.set_up("sns", &[]).code(0);
    lab.cloud().faults.denied = ["lambda", "sqs", "sns", "s3", "cloudcontrolapi"].into();
    let findings = lab.matrix(&["aws", "doctor"]).code(0).out;
    for (what, call) in [
        ("quota of concurrent executions in us-east-1", "lambda:GetAccountSettings"),
        ("queue of evaluations ", "sqs:GetQueueAttributes"),
        ("SNS topic ", "sns:GetTopicAttributes"),
        ("code bucket ", "s3:ListBucket"),
    ] {
        let [line, fix] = about(&findings, what)[..] else { panic!("{findings}") };
        assert!(line.starts_with("not checked") && fix.contains(call), "{findings}");
        assert!(fix.contains("docs/aws.md#security"), "{findings}");
    }
    // What was answered is no sign of a region that is not enabled, and is told as ever.
    assert!(about(&findings, "region us-east-1")[0].starts_with("ok "), "{findings}");
    about(&findings, "this machine's clock against us-east-1");
}

#[test]
fn a_synthetic_service_that_refuses_valid_credentials_is_named_while_it_does() {
    let lab = Lab::new();
    lab.cloud().faults.expired = Some(("cloudformation", 3));
    let made = lab.set_up("sns", &[]).code(0).err;
    assert_eq!(
        made.matches("is refused with ExpiredToken, though AWS takes the same credentials").count(),
        1,
        "{made}"
    );
    assert!(made.contains("cloudformation's DescribeStacks in "), "{made}");
}
