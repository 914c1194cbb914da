import Testing

/// The runner with MongoDB, NATS and an object store, as the0 has them. The tests share these services, whose names are
/// fixed, and so run one after another.
@Suite(.serialized) struct PlatformIntegration {}

/// The runner with bots from a directory. No service is shared; in turn nevertheless, for containers take their time.
@Suite(.serialized) struct DirectoryIntegration {}
