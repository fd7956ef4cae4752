//! Reading the file.

use super::entries::{Entries, Pattern, Shape};
use super::form::{Form, password, table_of};
use super::model::{
    BrokersInfo, CacheInfo, ConnectionInfo, DynamoInfo, MysqlInfo, Network, QueueInfo, S3Info, SnsInfo,
};
use super::names::Name;
use super::problem::{Guide, Problem};

/// No such file is larger, in bytes.
const MAX_BYTES: usize = 1 << 20;

const TOP: Shape = names(&[
    "aws_credentials_profile",
    "iam_cloudformation_admin_role_arn",
    "iam_lambda_admin_role_arn",
    "lambda",
    "datastores",
    "sqs_eval",
]);
const LAMBDA: Shape = names(&["network", "s3_buckets"]);
const REGIONS: Pattern = ("", "");
const BY_REGION: Shape = Shape { names: &[], patterns: &[REGIONS] };
const NETWORK: Shape = names(&["vpc_id", "subnet_id", "security_group_id"]);
const DATASTORES: Shape = names(&["mysql", "dynamo", "s3", "cache", "sns", "mq"]);

const HOST_WRITER: Pattern = ("host__", "__writer");
const HOST_READER: Pattern = ("host__", "__reader");
const STREAM: Pattern = ("notifications_table_stream_arn__", "");
const BUCKET_WRITER: Pattern = ("bucket__", "__writer");
const BUCKET_READER: Pattern = ("bucket__", "__reader");
const TOPIC: Pattern = ("arn__", "__writer");
const NAME: Pattern = ("name__", "");
const ARN: Pattern = ("arn__", "");
const HOST: Pattern = ("host__", "");
const SECRET: Pattern = ("secretmanager_arn__", "");
const URL: Pattern = ("url__", "");

const fn names(names: &'static [&'static str]) -> Shape {
    Shape { names, patterns: &[] }
}

impl ConnectionInfo {
    /// Reads the file. Sections may be absent; those that are there are whole. What an experiment needs of them,
    /// [`ConnectionInfo::check`] says.
    ///
    /// # Errors
    /// Everything that is wrong with the file, each with the entry, its line and the section of the guide.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let file = |line, what: String| vec![Problem { entry: String::new(), line, what, guide: Guide::File }];
        if text.len() > MAX_BYTES {
            return Err(file(None, format!("the file has more than {MAX_BYTES} bytes: it is no file of endpoints")));
        }
        let root = match matrix_yaml::parse(text) {
            Ok(Some(root)) if !root.is_nothing() => root,
            Ok(_) => return Err(file(None, "the file is empty".to_owned())),
            Err(error) => return Err(file(Some(error.place.line), format!("YAML: {}", error.what))),
        };
        let mut problems = Vec::new();
        let info = Entries::top(&root, TOP, &mut problems).map(|top| read(&top, &mut problems));
        match info {
            Some(info) if problems.is_empty() => Ok(info),
            _ => {
                problems.sort_by_key(|problem| problem.line);
                // A subtree that an alias repeats is read, and at fault, as often as it is used.
                problems.dedup();
                Err(problems)
            }
        }
    }
}

fn read(top: &Entries<'_>, problems: &mut Vec<Problem>) -> ConnectionInfo {
    let role = |name, problems: &mut Vec<Problem>| top.about(Guide::Roles).optional(name, Form::Role, problems);
    let mut info = ConnectionInfo {
        credentials_profile: top.optional("aws_credentials_profile", Form::Text, problems),
        cloudformation_role_arn: role("iam_cloudformation_admin_role_arn", problems),
        lambda_role_arn: role("iam_lambda_admin_role_arn", problems),
        ..ConnectionInfo::default()
    };
    if let Some(lambda) = top.table("lambda", Guide::Network, LAMBDA, problems) {
        if let Some(networks) = lambda.table("network", Guide::Network, BY_REGION, problems) {
            let tables = networks.tables(NETWORK, problems);
            let read = |(region, table)| Some((region, network(&table, problems)?));
            info.networks = tables.into_iter().filter_map(read).collect();
        }
        if let Some(buckets) = lambda.table("s3_buckets", Guide::CodeBuckets, BY_REGION, problems) {
            info.code_buckets = buckets.by_region(REGIONS, Form::Name(Name::Bucket), problems);
        }
    }
    if let Some(stores) = top.table("datastores", Guide::File, DATASTORES, problems) {
        info.mysql = mysql(&stores, problems);
        info.dynamo = dynamo(&stores, problems);
        info.s3 = s3(&stores, problems);
        info.cache = cache(&stores, problems);
        info.sns = sns(&stores, problems);
        info.mq = mq(&stores, problems);
    }
    info.evaluations = evaluations(top, problems);
    info
}

fn network(table: &Entries<'_>, problems: &mut Vec<Problem>) -> Option<Network> {
    let vpc_id = table.required("vpc_id", Form::Id("vpc-"), problems);
    let subnet_id = table.required("subnet_id", Form::Id("subnet-"), problems);
    let security_group_id = table.required("security_group_id", Form::Id("sg-"), problems);
    Some(Network { vpc_id: vpc_id?, subnet_id: subnet_id?, security_group_id: security_group_id? })
}

fn mysql(stores: &Entries<'_>, problems: &mut Vec<Problem>) -> Option<MysqlInfo> {
    let shape = Shape {
        names: &[
            "vpc_required",
            "port",
            "user",
            "password",
            "db",
            "post_table_name",
            "notifications_table_name",
            "antipode_table_name",
            // Its name in older files of the original.
            "antipode_table",
        ],
        patterns: &[HOST_WRITER, HOST_READER],
    };
    let table = stores.table("mysql", Guide::Mysql, shape, problems)?;
    let vpc_required = table.flag("vpc_required", problems);
    let port = table.port("port", problems);
    let user = table.required("user", Form::Text, problems);
    let password = table.parsed("password", password, problems);
    let db = table.required("db", Form::Name(Name::Mysql), problems);
    let post_table_name = table.required("post_table_name", Form::Name(Name::Mysql), problems);
    let notifications_table_name = table.optional("notifications_table_name", Form::Name(Name::Mysql), problems);
    let older = table.optional("antipode_table", Form::Name(Name::Mysql), problems);
    let antipode_table_name = match older {
        Some(older) => table.optional("antipode_table_name", Form::Name(Name::Mysql), problems).or(Some(older)),
        None => table.required("antipode_table_name", Form::Name(Name::Mysql), problems),
    };
    let writer_hosts = table.by_region(HOST_WRITER, Form::Host, problems);
    let reader_hosts = table.by_region(HOST_READER, Form::Host, problems);
    Some(MysqlInfo {
        vpc_required: vpc_required?,
        port: port?,
        user: user?,
        password: password?,
        db: db?,
        post_table_name: post_table_name?,
        notifications_table_name,
        antipode_table_name: antipode_table_name?,
        writer_hosts,
        reader_hosts,
    })
}

fn dynamo(stores: &Entries<'_>, problems: &mut Vec<Problem>) -> Option<DynamoInfo> {
    let names = &["vpc_required", "post_table_name", "notifications_table_name", "antipode_table"];
    let table = stores.table("dynamo", Guide::Dynamo, Shape { names, patterns: &[STREAM] }, problems)?;
    let vpc_required = table.flag("vpc_required", problems);
    let post_table_name = table.required("post_table_name", Form::Name(Name::DynamoTable), problems);
    let notifications_table_name = table.required("notifications_table_name", Form::Name(Name::DynamoTable), problems);
    let antipode_table = table.optional("antipode_table", Form::Name(Name::DynamoTable), problems);
    let stream_arns = table.by_region(STREAM, Form::Stream, problems);
    if let Some(name) = &notifications_table_name {
        for (region, _) in stream_arns.iter().filter(|(_, arn)| table_of(arn) != Some(name)) {
            let what = format!("is the stream of another table than notifications_table_name, `{name}`");
            table.wrong(&format!("{}{region}{}", STREAM.0, STREAM.1), &what, problems);
        }
    }
    Some(DynamoInfo {
        vpc_required: vpc_required?,
        post_table_name: post_table_name?,
        notifications_table_name: notifications_table_name?,
        antipode_table,
        stream_arns,
    })
}

fn s3(stores: &Entries<'_>, problems: &mut Vec<Problem>) -> Option<S3Info> {
    // `antipode_path` stands in files of the original, which made no use of it in the end.
    let shape = Shape { names: &["vpc_required", "antipode_path"], patterns: &[BUCKET_WRITER, BUCKET_READER] };
    let table = stores.table("s3", Guide::S3, shape, problems)?;
    let vpc_required = table.flag("vpc_required", problems);
    let writer_buckets = table.by_region(BUCKET_WRITER, Form::Name(Name::Bucket), problems);
    let reader_buckets = table.by_region(BUCKET_READER, Form::Name(Name::Bucket), problems);
    Some(S3Info { vpc_required: vpc_required?, writer_buckets, reader_buckets })
}

fn cache(stores: &Entries<'_>, problems: &mut Vec<Problem>) -> Option<CacheInfo> {
    let shape = Shape { names: &["vpc_required", "port"], patterns: &[HOST_WRITER, HOST_READER] };
    let table = stores.table("cache", Guide::Redis, shape, problems)?;
    let vpc_required = table.flag("vpc_required", problems);
    let port = table.port("port", problems);
    let writer_hosts = table.by_region(HOST_WRITER, Form::Host, problems);
    let reader_hosts = table.by_region(HOST_READER, Form::Host, problems);
    Some(CacheInfo { vpc_required: vpc_required?, port: port?, writer_hosts, reader_hosts })
}

fn sns(stores: &Entries<'_>, problems: &mut Vec<Problem>) -> Option<SnsInfo> {
    let shape = Shape { names: &["vpc_required"], patterns: &[TOPIC] };
    let table = stores.table("sns", Guide::Sns, shape, problems)?;
    let vpc_required = table.flag("vpc_required", problems);
    let topic_arns = table.by_region(TOPIC, Form::Arn("sns"), problems);
    Some(SnsInfo { vpc_required: vpc_required?, topic_arns })
}

fn mq(stores: &Entries<'_>, problems: &mut Vec<Problem>) -> Option<BrokersInfo> {
    let shape = Shape {
        names: &["vpc_required", "user", "password", "notification_queue", "stomp_port", "ca_file"],
        patterns: &[NAME, ARN, HOST, SECRET],
    };
    let table = stores.table("mq", Guide::Activemq, shape, problems)?;
    let vpc_required = table.flag("vpc_required", problems);
    let user = table.required("user", Form::Text, problems);
    let password = table.parsed("password", password, problems);
    let notification_queue = table.required("notification_queue", Form::Text, problems);
    let stomp_port = table.port("stomp_port", problems);
    let names = table.by_region(NAME, Form::Text, problems);
    let arns = table.by_region(ARN, Form::Arn("mq"), problems);
    let hosts = table.by_region(HOST, Form::Host, problems);
    let secret_arns = table.by_region(SECRET, Form::Arn("secretsmanager"), problems);
    let ca_file = table.optional("ca_file", Form::Text, problems);
    Some(BrokersInfo {
        vpc_required: vpc_required?,
        user: user?,
        password: password?,
        notification_queue: notification_queue?,
        stomp_port: stomp_port?,
        names,
        arns,
        hosts,
        secret_arns,
        ca_file,
    })
}

fn evaluations(top: &Entries<'_>, problems: &mut Vec<Problem>) -> Option<QueueInfo> {
    let shape = Shape { names: &["name"], patterns: &[URL, ARN] };
    let table = top.table("sqs_eval", Guide::Evaluations, shape, problems)?;
    let name = table.required("name", Form::Name(Name::Queue), problems);
    let urls = table.by_region(URL, Form::QueueUrl, problems);
    let arns = table.by_region(ARN, Form::Arn("sqs"), problems);
    Some(QueueInfo { name: name?, urls, arns })
}
