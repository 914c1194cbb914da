import Testing

/// What needs a server. One test at a time: several of them measure how long something takes.
@Suite(.serialized) enum MongoIntegration {}
