//! S3: posts as objects of a versioned bucket that is replicated to another.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use aws_types::SdkConfig;
use matrix_app::host::ErrorKind;
use matrix_app::{LineageId, Post, PostStorage, StorageError, WriteId, Written, sizes};

use crate::admin::{Admin, Contents};
use crate::aws::{classify, is_not_found, region};
use crate::config::{S3Config, Side};
use crate::content::content;
use crate::failure::failure;

const SERVICE: &str = "s3";

/// The user metadata that holds the lineage's id.
const LINEAGE: &str = "cid";

/// One bucket that holds posts.
#[derive(Debug)]
pub struct S3Posts {
    client: Client,
    bucket: String,
}

impl S3Posts {
    /// The bucket of the given side.
    #[must_use]
    pub fn new(config: &S3Config, aws: &SdkConfig, region_name: &str, side: Side) -> Self {
        // An endpoint of one's own has no name per bucket.
        let path_style = aws.endpoint_url().is_some();
        let settings = Builder::from(aws).region(region(region_name)).force_path_style(path_style).build();
        let bucket = match side {
            Side::Writer => &config.writer,
            Side::Reader => &config.reader,
        };
        Self { client: Client::from_conf(settings), bucket: bucket.clone() }
    }

    /// The lineage of one version of an object, and whether the version is there at all.
    async fn lineage_of(&self, key: &str, version: Option<&str>) -> Result<Option<Option<String>>, StorageError> {
        let question =
            self.client.head_object().bucket(&self.bucket).key(key).set_version_id(version.map(str::to_owned));
        match question.send().await {
            Ok(answer) => Ok(Some(answer.metadata.and_then(|mut metadata| metadata.remove(LINEAGE)))),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(classify(SERVICE, error)),
        }
    }

    /// One page of versions and delete markers, and where the next begins.
    async fn page(&self, after: Marker) -> Result<Page, StorageError> {
        let answer = self
            .client
            .list_object_versions()
            .bucket(&self.bucket)
            .set_key_marker(after.key)
            .set_version_id_marker(after.version)
            .send()
            .await
            .map_err(|error| classify(SERVICE, error))?;
        let truncated = answer.is_truncated == Some(true);
        let versions = answer
            .versions
            .unwrap_or_default()
            .into_iter()
            .filter_map(|version| {
                let bytes = u64::try_from(version.size?).ok()?;
                Some(Version { key: version.key?, id: version.version_id, bytes: Some(bytes) })
            })
            .chain(
                answer
                    .delete_markers
                    .unwrap_or_default()
                    .into_iter()
                    .filter_map(|marker| Some(Version { key: marker.key?, id: marker.version_id, bytes: None })),
            )
            .collect();
        let next = Marker { key: answer.next_key_marker, version: answer.next_version_id_marker };
        Ok(Page { versions, next: truncated.then_some(next) })
    }
}

#[derive(Default)]
struct Marker {
    key: Option<String>,
    version: Option<String>,
}

struct Page {
    versions: Vec<Version>,
    next: Option<Marker>,
}

/// A version of an object; a delete marker has no bytes.
struct Version {
    key: String,
    id: Option<String>,
    bytes: Option<u64>,
}

impl PostStorage for S3Posts {
    async fn write<'a>(&self, post: Post<'a>) -> Result<Written<'a>, StorageError> {
        let mut request = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(post.key)
            .body(ByteStream::from(content(post.key, post.bytes)));
        if let Some(lineage) = post.lineage {
            request = request.metadata(LINEAGE, lineage.to_string());
        }
        let answer = request.send().await.map_err(|error| classify(SERVICE, error))?;
        // Without a version id no barrier could tell this write from another one.
        let version = answer
            .version_id
            .ok_or_else(|| failure(SERVICE, ErrorKind::Malformed, "no version id: the bucket is not versioned"))?;
        let id = WriteId { key: post.key.into(), version: Some(version.into()) };
        Ok(Written { id, bytes: sizes::s3(&post) })
    }

    async fn read(&self, key: &str) -> Result<bool, StorageError> {
        Ok(self.lineage_of(key, None).await?.is_some())
    }

    async fn is_visible(&self, write: &WriteId<'_>, lineage: LineageId) -> Result<bool, StorageError> {
        let found = self.lineage_of(&write.key, write.version.as_deref()).await?;
        Ok(found.flatten().is_some_and(|id| id == lineage.to_string()))
    }
}

impl Admin for S3Posts {
    /// The bucket and its replication come with the deployment.
    async fn build(&self) -> Result<(), StorageError> {
        Ok(())
    }

    /// Deletes every version and every delete marker, a page at a time. Deletions of versions do not replicate: both
    /// buckets are to be cleaned.
    async fn clean(&self) -> Result<(), StorageError> {
        let mut next = Some(Marker::default());
        while let Some(marker) = next {
            let page = self.page(marker).await?;
            next = page.next;
            let objects = page
                .versions
                .into_iter()
                .map(|version| ObjectIdentifier::builder().key(version.key).set_version_id(version.id).build())
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| failure(SERVICE, ErrorKind::Malformed, error))?;
            if objects.is_empty() {
                continue;
            }
            let delete = Delete::builder()
                .set_objects(Some(objects))
                .quiet(true)
                .build()
                .map_err(|error| failure(SERVICE, ErrorKind::Malformed, error))?;
            let answer = self.client.delete_objects().bucket(&self.bucket).delete(delete).send().await;
            let answer = answer.map_err(|error| classify(SERVICE, error))?;
            if let Some(error) = answer.errors.unwrap_or_default().into_iter().next() {
                let code = error.code.unwrap_or_default();
                return Err(failure(SERVICE, ErrorKind::Refused, format_args!("deleting an object: {code}")));
            }
        }
        Ok(())
    }

    async fn contents(&self) -> Result<Contents, StorageError> {
        let mut contents = Contents::default();
        let mut next = Some(Marker::default());
        while let Some(marker) = next {
            let page = self.page(marker).await?;
            next = page.next;
            for version in page.versions {
                let Some(bytes) = version.bytes else { continue };
                // A list does not show user metadata.
                let Some(lineage) = self.lineage_of(&version.key, version.id.as_deref()).await? else { continue };
                contents.items += 1;
                contents.bytes += bytes + lineage.map_or(0, |id| (LINEAGE.len() + id.len()) as u64);
            }
        }
        Ok(contents)
    }

    async fn is_empty(&self) -> Result<bool, StorageError> {
        let page = self.page(Marker::default()).await?;
        Ok(page.versions.is_empty() && page.next.is_none())
    }
}
