//! The file as a person meets it, and as set-up writes it.

use std::collections::BTreeMap;

use matrix_plan::{Combination, NotificationStorage, PostStorage, Regions};
use proptest::collection::btree_map;
use proptest::prelude::*;

use super::names::Name;
use super::*;

const ORIGINAL: &str = include_str!("../../tests/original/connection_info.yaml");

fn original() -> ConnectionInfo {
    ConnectionInfo::parse(ORIGINAL).unwrap()
}

fn every_combination() -> Vec<Combination> {
    let mut all = Vec::new();
    for post_storage in [PostStorage::Mysql, PostStorage::Dynamo, PostStorage::S3, PostStorage::Redis] {
        for notification_storage in [NotificationStorage::Sns, NotificationStorage::Amq, NotificationStorage::Dynamo] {
            for regions in ["eu->us", "eu->sg"] {
                all.push(Combination { post_storage, notification_storage, regions: regions.parse().unwrap() });
            }
        }
    }
    all
}

fn show(problems: &[Problem]) -> String {
    let line = |problem: &Problem| format!("{problem} ({})\n", problem.guide.link());
    problems.iter().map(line).collect()
}

/// What is wrong with the original's file after a change.
fn changed(from: &str, to: &str) -> String {
    assert!(ORIGINAL.contains(from), "{from}");
    match ConnectionInfo::parse(&ORIGINAL.replace(from, to)) {
        Ok(info) => show(&info.check(&every_combination(), &Regions::built_in())),
        Err(problems) => show(&problems),
    }
}

#[test]
fn the_originals_file_loads_unchanged_and_is_enough_for_every_combination() {
    let info = original();
    assert_eq!(info.check(&every_combination(), &Regions::built_in()), []);
    let mysql = info.mysql.as_ref().unwrap();
    assert_eq!((mysql.port, mysql.user.as_str(), mysql.db.as_str()), (3306, "antipode", "antipode"));
    assert_eq!(mysql.password, Password::Plain("antipode".into()));
    assert_eq!(info.dynamo.as_ref().unwrap().notifications_table_name, "keyvalue");
    assert_eq!(info.mq.as_ref().unwrap().user, "antipode");
    let network = &info.networks["eu-west-1"];
    assert_eq!(
        (network.vpc_id.as_str(), network.subnet_id.as_str()),
        ("vpc-0a1b2c3d4e5f60001", "subnet-0a1b2c3d4e5f60004")
    );
    assert_eq!(ConnectionInfo::parse(&info.to_yaml()).unwrap(), info);
}

#[test]
fn what_set_up_writes_looks_like_this() {
    insta::assert_snapshot!(original().to_yaml());
}

#[test]
fn passwords_have_three_places() {
    for (text, password) in [
        ("${MYSQL_PASSWORD}", Password::Environment("MYSQL_PASSWORD".into())),
        ("\"arn:aws:secretsmanager:eu-central-1:123456789012:secret:m-AbCdEf\"", {
            Password::SecretsManager("arn:aws:secretsmanager:eu-central-1:123456789012:secret:m-AbCdEf".into())
        }),
        ("\"12345\"", Password::Plain("12345".into())),
    ] {
        let info = ConnectionInfo::parse(&ORIGINAL.replace("'antipode'", text)).unwrap();
        assert_eq!(info.mysql.unwrap().password, password);
    }
}

#[test]
fn nothing_secret_is_shown() {
    let shown = format!("{:?}", original());
    assert!(shown.contains("cluster-ro-mnopqrstuvwx"), "{shown}");
    assert!(!shown.contains("123456789012") && !shown.contains("antipode1antipode"), "{shown}");
    // Errors do not contain the value.
    for (from, to) in [("'antipode'", "${antipode1antipode"), ("61614", "antipode1antipode")] {
        assert!(!changed(from, to).contains("antipode1antipode"));
    }
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let changes = [
        ("host__us-east-1__reader: antipode-lambda-us.cl", "host__us-east-1__raeder: antipode-lambda-us.cl"),
        ("    host__us-east-1__reader: antipode-lambda-us.gh", "    # host__us-east-1__reader: antipode-lambda-us.gh"),
        ("stomp_port: 61614", "stomp_port: 616140"),
        ("stomp_port: 61614", "stomp_port:"),
        ("    port: 6379\n", ""),
        ("vpc_required: no", "vpc_required: maybe"),
        ("datastores:", "datastore:"),
        ("arn__eu-central-1__writer: arn:aws:sns:eu-central-1", "arn__eu-central-1__writer: arn:aws:sns:us-east-1"),
        ("arn__us-east-1: arn:aws:sqs:us", "arn__us-east-1: arn:aws:sns:us"),
        ("writer: antipode-lambda-eu.abcdef", "writer: redis://antipode-lambda-eu.abcdef"),
        ("writer: antipode-lambda-eu.abcdef.ng.0001.euc1.cache.amazonaws.com", "writer: a.com:6379"),
        ("vpc_id: vpc-0a1b2c3d4e5f60002", "vpc_id: sg-0a1b2c3d4e5f60002"),
        ("url__us-east-1: https://", "url__us-east-1: "),
        ("us-east-1: antipode-lambda-us\n", "us-east-1: '%% bad %%'\n"),
        ("reader: antipode-lambda-posts-us", "reader: '%% bad %%'"),
        ("db: *user", "db: '%% bad %%'"),
        ("antipode_table_name: cscopes", "antipode_table_name: '%% bad %%'"),
        ("vpc_required: no\n    post_table_name: blobs", "vpc_required: no\n    post_table_name: '%% bad %%'"),
        ("antipode_table: keyvalue-antipode", "antipode_table: '%% bad %%'"),
        ("123456789012:antipode-lambda-notifications", "123456789012:%%bad%%"),
        ("name: antipode-lambda-eval", "name: '%% bad %%'"),
        ("us-east-1.amazonaws.com/123456789012/antipode-lambda-eval", "us-east-1.amazonaws.com/123456789012/%%bad%%"),
        ("us-east-1:123456789012:antipode-lambda-eval", "us-east-1:123456789012:%%bad%%"),
        ("  sns:\n", "  sns: []\n  rest:\n"),
        ("user: &user antipode", "user: &user [antipode]"),
        ("'antipode'", "${NO-NAME}"),
        ("db: *user", "db: *nobody"),
        ("  mysql:\n", "  mysql:\n    port: 1\n"),
        ("secretmanager_arn__us-east-1", "# secretmanager_arn__us-east-1"),
        ("    us-east-1:\n      # cidr", "    us-west-1:\n      # cidr"),
        ("iam_lambda_admin_role_arn:", "# iam_lambda_admin_role_arn:"),
        (
            "iam_lambda_admin_role_arn: \"arn:aws:iam::123456789012:role/",
            "iam_lambda_admin_role_arn: \"arn:aws:iam::123456789012:user/",
        ),
        ("iam_cloudformation_admin_role_arn: arn:aws:iam::", "iam_cloudformation_admin_role_arn: "),
        ("table/keyvalue/stream/2020", "table/others/stream/2020"),
        ("table/keyvalue/stream/2020-06-15T14:43:13.249", "table/keyvalue"),
        ("url__us-east-1: https://sqs.us-east-1.", "url__us-east-1: https://sqs.eu-west-1."),
        ("reader: antipode-lambda-posts-us", "reader: antipode-lambda-posts-eu"),
        ("sqs_eval:", "# all of it\nno_sqs_eval_at_all_in_this_file:"),
    ];
    let shown = changes.map(|(from, to)| format!("{} => {}\n{}", from.trim(), to.trim(), changed(from, to)));
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn absent_sections_are_missed_only_by_who_needs_them() {
    let queue = "iam_lambda_admin_role_arn: arn:aws:iam::123456789012:role/r\nlambda:\n  s3_buckets: {eu-central-1: code-eu, us-east-1: code-us}\n\
                 datastores:\n  dynamo: {vpc_required: false, post_table_name: posts, notifications_table_name: notes}\n  \
                 sns: {vpc_required: false, arn__eu-central-1__writer: 'arn:aws:sns:eu-central-1:123456789012:t'}\n\
                 sqs_eval: {name: q, url__us-east-1: 'https://sqs/q'}\n";
    let info = ConnectionInfo::parse(queue).unwrap();
    let need = |post_storage, notification_storage, regions: &str| {
        let needed = Combination { post_storage, notification_storage, regions: regions.parse().unwrap() };
        let problems = info.check(&[needed], &Regions::built_in());
        problems.into_iter().map(|problem| problem.entry).collect::<Vec<_>>()
    };
    use NotificationStorage as N;
    use PostStorage as P;
    assert_eq!(need(P::Dynamo, N::Sns, "eu->us"), [""; 0]);
    assert_eq!(need(P::Dynamo, N::Dynamo, "eu->us"), ["datastores.dynamo.notifications_table_stream_arn__us-east-1"]);
    assert_eq!(need(P::Redis, N::Sns, "eu->us"), ["datastores.cache"]);
    assert_eq!(need(P::Dynamo, N::Sns, "eu->sg"), ["lambda.s3_buckets.ap-southeast-1", "sqs_eval.url__ap-southeast-1"]);
    assert_eq!(need(P::Dynamo, N::Sns, "eu->mars"), [""]);
    assert!(ConnectionInfo::default().check(&[], &Regions::built_in()).is_empty());
}

#[test]
fn names_are_what_the_services_take() {
    let long = "x".repeat(300);
    for (name, good, bad) in [
        (Name::Bucket, vec!["abc", "a.b-c", "0-9", &long[..63]], vec!["ab", "-abc", "abc.", "aBc", "a_c", &long[..64]]),
        (Name::DynamoTable, vec!["abc", "_.-", &long[..255]], vec!["ab", "a c", "a/c", &long[..256]]),
        (Name::Mysql, vec!["a", "$_9", &long[..64]], vec!["a-b", "a.b", "a`b", &long[..65]]),
        (Name::Queue, vec!["a", "A_-9", "a.fifo", &long[..80]], vec![".fifo", "a.b", "a%b", &long[..81]]),
        (Name::Topic, vec!["a", "A_-9", "a.fifo", &long[..256]], vec![".fifo", "a.b", "a:b", &long[..257]]),
    ] {
        assert!(good.iter().all(|text| name.takes(text)), "{name:?}");
        assert!(!bad.iter().chain([&"", &"%% bad %%"]).any(|text| name.takes(text)), "{name:?}");
    }
}

#[test]
fn variables_that_are_not_set_are_a_problem_of_whoever_needs_the_password() {
    let text = ORIGINAL.replace("'antipode'", "${DATABASE}").replace("antipode1antipode", "${BROKERS}");
    let info = ConnectionInfo::parse(&text).unwrap();
    let unset = |set: &[&str], post_storage, notification_storage| {
        let needed = Combination { post_storage, notification_storage, regions: "eu->us".parse().unwrap() };
        show(&info.check_variables(&[needed.clone(), needed], |name| set.contains(&name)))
    };
    use NotificationStorage as N;
    use PostStorage as P;
    assert_eq!(
        unset(&[], P::Mysql, N::Amq),
        "datastores.mysql.password is taken from the environment variable DATABASE, which is not set (docs/aws.md#mysql)\n\
         datastores.mq.password is taken from the environment variable BROKERS, which is not set (docs/aws.md#activemq)\n"
    );
    assert!(unset(&["BROKERS"], P::Mysql, N::Amq).starts_with("datastores.mysql.password "));
    assert_eq!(unset(&["BROKERS"], P::Mysql, N::Amq).lines().count(), 1);
    // Who does not need them does not miss them.
    assert!(unset(&[], P::Redis, N::Amq).starts_with("datastores.mq.password "));
    assert_eq!(unset(&[], P::Redis, N::Amq).lines().count(), 1);
    assert_eq!(unset(&[], P::Redis, N::Sns) + &unset(&["DATABASE"], P::Mysql, N::Dynamo), "");
    assert_eq!(original().check_variables(&every_combination(), |_| false), []);
}

/// Any text that is not only space.
fn text() -> BoxedStrategy<String> {
    prop_oneof![
        "[a-z0-9_.:/ -]{0,12}[a-z0-9]",
        "\\PC{1,8}x",
        "[\\x00-\\x7f]{0,6}x",
        Just("yes".into()),
        Just("~".into())
    ]
    .boxed()
}

fn region() -> BoxedStrategy<String> {
    prop_oneof!["(eu|us|ap)-(central|east|southeast)-[1-3]", Just("us-gov-west-1".to_owned())].boxed()
}

fn by_region(value: BoxedStrategy<String>) -> BoxedStrategy<ByRegion<String>> {
    btree_map(region(), value, 0..4).boxed()
}

fn bucket() -> BoxedStrategy<String> {
    "[a-z0-9][a-z0-9.-]{1,9}[a-z0-9]".boxed()
}

fn table() -> BoxedStrategy<String> {
    "[a-zA-Z0-9_.-]{3,12}".boxed()
}

/// A database or a table.
fn mysql_name() -> BoxedStrategy<String> {
    "[a-zA-Z0-9_$]{1,12}".boxed()
}

/// A queue or a topic.
fn queue_name() -> BoxedStrategy<String> {
    "[a-zA-Z0-9_-]{1,12}(\\.fifo)?".boxed()
}

/// ARNs of a service, each of its own region.
fn arns(service: &'static str) -> BoxedStrategy<ByRegion<String>> {
    let resource = match service {
        "sns" | "sqs" => queue_name(),
        _ => "[a-z0-9:/._-]{1,10}".boxed(),
    };
    let resources = btree_map(region(), resource, 0..4);
    let arn = move |(region, resource): (String, String)| {
        let arn = format!("arn:aws:{service}:{region}:123456789012:{resource}");
        (region, arn)
    };
    resources.prop_map(move |resources| resources.into_iter().map(arn).collect::<BTreeMap<_, _>>()).boxed()
}

fn password() -> BoxedStrategy<Password> {
    prop_oneof![
        text()
            .prop_filter("means something else", |text| !text.starts_with("${") && !text.starts_with("arn:"))
            .prop_map(Password::Plain),
        "[A-Z_][A-Z0-9_]{0,8}".prop_map(Password::Environment),
        Just(Password::SecretsManager("arn:aws:secretsmanager:eu-central-1:123456789012:secret:a".into())),
    ]
    .boxed()
}

fn hosts() -> BoxedStrategy<ByRegion<String>> {
    by_region("[a-z0-9][a-z0-9.-]{0,12}".boxed())
}

prop_compose! {
    fn mysql()(
        (vpc_required, port, password) in (any::<bool>(), 1..=u16::MAX, password()),
        (user, db, post_table_name, antipode_table_name) in (text(), mysql_name(), mysql_name(), mysql_name()),
        notifications_table_name in proptest::option::of(mysql_name()),
        (writer_hosts, reader_hosts) in (hosts(), hosts()),
    ) -> MysqlInfo {
        MysqlInfo {
            vpc_required, port, user, password, db, post_table_name, notifications_table_name, antipode_table_name,
            writer_hosts, reader_hosts,
        }
    }
}

prop_compose! {
    fn mq()(
        (vpc_required, stomp_port, password, ca_file) in (any::<bool>(), 1..=u16::MAX, password(), proptest::option::of(text())),
        (user, notification_queue) in (text(), text()),
        (names, hosts, arns, secret_arns) in (by_region(text()), hosts(), arns("mq"), arns("secretsmanager")),
    ) -> BrokersInfo {
        BrokersInfo { vpc_required, user, password, notification_queue, stomp_port, names, arns, hosts, secret_arns, ca_file }
    }
}

prop_compose! {
    fn simple()(
        (vpc, port) in (any::<bool>(), 1..=u16::MAX),
        (post_table_name, notifications_table_name, name) in (table(), table(), queue_name()),
        antipode_table in proptest::option::of(table()),
        (one, other, hosts) in (by_region(bucket()), by_region(bucket()), hosts()),
        (regions, topics, queues, urls) in (by_region("[0-9T:.-]{1,9}".boxed()), arns("sns"), arns("sqs"), by_region("https://[a-z/]{1,9}/[a-z]{1,9}".boxed())),
    ) -> (DynamoInfo, S3Info, CacheInfo, SnsInfo, QueueInfo) {
        let stream = |(region, label)| {
            let arn = format!("arn:aws:dynamodb:{region}:123456789012:table/{notifications_table_name}/stream/{label}");
            (region, arn)
        };
        let streams = regions.into_iter().map(stream).collect();
        (
            DynamoInfo { vpc_required: vpc, post_table_name, notifications_table_name, antipode_table, stream_arns: streams },
            S3Info { vpc_required: vpc, writer_buckets: one, reader_buckets: other },
            CacheInfo { vpc_required: vpc, port, writer_hosts: hosts.clone(), reader_hosts: hosts },
            SnsInfo { vpc_required: vpc, topic_arns: topics },
            QueueInfo { name, urls, arns: queues },
        )
    }
}

prop_compose! {
    fn info()(
        (profile, role) in (proptest::option::of(text()), any::<bool>()),
        networks in btree_map(region(), "[0-9a-f]{8}", 0..3),
        code_buckets in by_region(bucket()),
        (mysql, mq) in (proptest::option::of(mysql()), proptest::option::of(mq())),
        ((dynamo, s3, cache, sns, queue), there) in (simple(), any::<[bool; 5]>()),
    ) -> ConnectionInfo {
        let role = role.then(|| "arn:aws:iam::123456789012:role/r".to_owned());
        let network = |id: String| Network {
            vpc_id: format!("vpc-{id}"),
            subnet_id: format!("subnet-{id}"),
            security_group_id: format!("sg-{id}"),
        };
        ConnectionInfo {
            credentials_profile: profile,
            cloudformation_role_arn: role.clone(),
            lambda_role_arn: role,
            networks: networks.into_iter().map(|(region, id)| (region, network(id))).collect(),
            code_buckets,
            mysql,
            dynamo: there[0].then_some(dynamo),
            s3: there[1].then_some(s3),
            cache: there[2].then_some(cache),
            sns: there[3].then_some(sns),
            mq,
            evaluations: there[4].then_some(queue),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_as_the_same(info in info()) {
        let text = info.to_yaml();
        prop_assert_eq!(ConnectionInfo::parse(&text).map_err(|problems| format!("{text}\n{}", show(&problems))), Ok(info));
    }
}
