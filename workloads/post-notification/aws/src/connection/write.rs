//! Writing the file.

use std::fmt::Write;

use super::model::{ByRegion, ConnectionInfo, Password};

impl ConnectionInfo {
    /// The file's text: what [`ConnectionInfo::parse`] reads as the same again. A plain password that looks like
    /// `${NAME}` or an ARN would be read as such; no password that set-up makes does.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let mut out = Lines::default();
        out.some("aws_credentials_profile", self.credentials_profile.as_deref());
        out.some("iam_cloudformation_admin_role_arn", self.cloudformation_role_arn.as_deref());
        out.some("iam_lambda_admin_role_arn", self.lambda_role_arn.as_deref());
        if !self.networks.is_empty() || !self.code_buckets.is_empty() {
            out.open("lambda");
            self.write_functions(&mut out);
            out.close();
        }
        self.write_datastores(&mut out);
        if let Some(queue) = &self.evaluations {
            out.open("sqs_eval");
            out.text("name", &queue.name);
            out.by_region(("url__", ""), &queue.urls);
            out.by_region(("arn__", ""), &queue.arns);
            out.close();
        }
        if out.text.is_empty() {
            // An empty file of names and values.
            out.text.push_str("{}\n");
        }
        out.text
    }

    fn write_functions(&self, out: &mut Lines) {
        if !self.networks.is_empty() {
            out.open("network");
            for (region, network) in &self.networks {
                out.open(region);
                out.text("vpc_id", &network.vpc_id);
                out.text("subnet_id", &network.subnet_id);
                out.text("security_group_id", &network.security_group_id);
                out.close();
            }
            out.close();
        }
        if !self.code_buckets.is_empty() {
            out.open("s3_buckets");
            out.by_region(("", ""), &self.code_buckets);
            out.close();
        }
    }

    fn write_datastores(&self, out: &mut Lines) {
        let Self { mysql, dynamo, s3, cache, sns, mq, .. } = self;
        let any =
            mysql.is_some() || dynamo.is_some() || s3.is_some() || cache.is_some() || sns.is_some() || mq.is_some();
        if !any {
            return;
        }
        out.open("datastores");
        if let Some(mysql) = mysql {
            out.store("mysql", mysql.vpc_required);
            out.plain("port", mysql.port);
            out.text("user", &mysql.user);
            out.password(&mysql.password);
            out.text("db", &mysql.db);
            out.text("post_table_name", &mysql.post_table_name);
            out.some("notifications_table_name", mysql.notifications_table_name.as_deref());
            out.text("antipode_table_name", &mysql.antipode_table_name);
            out.by_region(("host__", "__writer"), &mysql.writer_hosts);
            out.by_region(("host__", "__reader"), &mysql.reader_hosts);
            out.close();
        }
        if let Some(dynamo) = dynamo {
            out.store("dynamo", dynamo.vpc_required);
            out.text("post_table_name", &dynamo.post_table_name);
            out.text("notifications_table_name", &dynamo.notifications_table_name);
            out.some("antipode_table", dynamo.antipode_table.as_deref());
            out.by_region(("notifications_table_stream_arn__", ""), &dynamo.stream_arns);
            out.close();
        }
        if let Some(s3) = s3 {
            out.store("s3", s3.vpc_required);
            out.by_region(("bucket__", "__writer"), &s3.writer_buckets);
            out.by_region(("bucket__", "__reader"), &s3.reader_buckets);
            out.close();
        }
        if let Some(cache) = cache {
            out.store("cache", cache.vpc_required);
            out.plain("port", cache.port);
            out.by_region(("host__", "__writer"), &cache.writer_hosts);
            out.by_region(("host__", "__reader"), &cache.reader_hosts);
            out.close();
        }
        if let Some(sns) = sns {
            out.store("sns", sns.vpc_required);
            out.by_region(("arn__", "__writer"), &sns.topic_arns);
            out.close();
        }
        if let Some(mq) = mq {
            out.store("mq", mq.vpc_required);
            out.text("user", &mq.user);
            out.password(&mq.password);
            out.text("notification_queue", &mq.notification_queue);
            out.plain("stomp_port", mq.stomp_port);
            out.some("ca_file", mq.ca_file.as_deref());
            out.by_region(("name__", ""), &mq.names);
            out.by_region(("arn__", ""), &mq.arns);
            out.by_region(("host__", ""), &mq.hosts);
            out.by_region(("secretmanager_arn__", ""), &mq.secret_arns);
            out.close();
        }
        out.close();
    }
}

/// Lines, each under the names that are open.
#[derive(Default)]
struct Lines {
    text: String,
    depth: usize,
}

impl Lines {
    fn line(&mut self, name: &str, value: &str) {
        // Writing to a text cannot fail.
        let _ = writeln!(self.text, "{:indent$}{name}:{value}", "", indent = 2 * self.depth);
    }

    fn open(&mut self, name: &str) {
        if self.depth == 0 && !self.text.is_empty() {
            self.text.push('\n');
        }
        self.line(name, "");
        self.depth += 1;
    }

    fn close(&mut self) {
        self.depth -= 1;
    }

    fn store(&mut self, name: &str, vpc_required: bool) {
        self.open(name);
        self.plain("vpc_required", vpc_required);
    }

    fn plain(&mut self, name: &str, value: impl ToString) {
        self.line(name, &format!(" {}", value.to_string()));
    }

    fn text(&mut self, name: &str, text: &str) {
        self.line(name, &format!(" {}", scalar(text)));
    }

    fn some(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    fn password(&mut self, password: &Password) {
        match password {
            Password::Plain(text) | Password::SecretsManager(text) => self.text("password", text),
            Password::Environment(name) => self.text("password", &format!("${{{name}}}")),
        }
    }

    fn by_region(&mut self, (before, after): (&str, &str), values: &ByRegion<String>) {
        for (region, value) in values {
            self.text(&format!("{before}{region}{after}"), value);
        }
    }
}

/// A text as YAML writes it: without quotes where nothing could take it for something else.
fn scalar(text: &str) -> String {
    let word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'/' | b':' | b'-');
    let safe = text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
        && text.bytes().all(word)
        && !text.ends_with(':')
        && !["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(&text.to_ascii_lowercase().as_str());
    if safe {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            ' '..='~' => quoted.push(character),
            _ => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(character));
            }
        }
    }
    quoted + "\""
}
